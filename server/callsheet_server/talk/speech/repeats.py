"""Sentences that an NPC has just said and is about to say again."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Final

from callsheet_server.talk.speech.sentences import Said, sentences_of

__all__ = ["Repeats"]

MIN_LETTERS: Final = 10
"""Fewest letters of a repeat: "Of course." may be said as often as anybody likes."""


class Repeats:
    """Leaves sentences out that are in the NPC's last replies, or stood in this one.

    A sentence that comes in parts is held only for as long as it may become one of those.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        """``texts``: what the NPC has said, or was told, of late."""
        self._known = set().union(*map(_known, texts))
        self._held: list[Said] = []
        self._letters = ""
        self.left_out: list[Said] = []

    def feed(self, said: Said) -> list[Said]:
        """Take a part of the reply; return what is no repeat."""
        self._held.append(said)
        self._letters += _letters(said.text)
        if said.ends_sentence:
            return self.rest()
        if any(known.startswith(self._letters) for known in self._known):
            return []
        held, self._held = self._held, []
        return held

    def rest(self) -> list[Said]:
        """The sentence at hand has ended: what is still held of it, unless it is a repeat."""
        held, letters, self._held, self._letters = self._held, self._letters, [], ""
        if len(letters) >= MIN_LETTERS and letters in self._known:
            self.left_out += held
            return []
        self._known.add(letters)
        return held


@functools.lru_cache(maxsize=1_024)
def _known(text: str) -> frozenset[str]:
    """The letters of a text's sentences; an NPC's last replies are asked for several times."""
    return frozenset(map(_letters, sentences_of(text)))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
