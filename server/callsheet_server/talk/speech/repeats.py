"""Sentences that an NPC has just said and is about to say again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from callsheet_server.talk.speech.sentences import Said, sentences_of

__all__ = ["Repeats"]

MIN_LETTERS: Final = 10
"""Anybody may say "Of course." as often as they like."""


class Repeats:
    """Leaves sentences out that are in the NPC's last replies, or stood in this one.

    A sentence that comes in parts is held only for as long as it may become one of those.
    """

    def __init__(self, replies: Iterable[str]) -> None:
        """``replies``: the NPC's last ones."""
        self._known = {_letters(one) for reply in replies for one in sentences_of(reply)}
        self._held: list[Said] = []
        self._letters = ""
        self.left_out: list[Said] = []

    def feed(self, said: Said) -> list[Said]:
        """Take a part of the reply; return what is no repeat."""
        self._held.append(said)
        self._letters += _letters(said.text)
        letters = self._letters
        if said.ends_sentence:
            repeated = len(letters) >= MIN_LETTERS and letters in self._known
            self._known.add(letters)
            self._letters = ""
            if repeated:
                self.left_out += self._held
                self._held = []
        elif any(known.startswith(letters) for known in self._known):
            return []
        held, self._held = self._held, []
        return held


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
