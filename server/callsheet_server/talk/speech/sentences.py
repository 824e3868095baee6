"""A reply in whole sentences, each let go as early as it can be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Said", "Sentences", "sentences_of"]

_CLOSING: Final = "\"')\\]\u201d\u2019\u00bb\u300d*"
_END: Final = re.compile(
    rf"[.!?\u2026\u0964\u061f]+[{_CLOSING}]*(?=\s)"
    rf"|[\u3002\uff01\uff1f]+[{_CLOSING}]*(?=[^\u3002\uff01\uff1f{_CLOSING}])"
    r"|(?<=[^\s:,;\u2013\u2014-])(?=\n)"
)
_ENDED: Final = re.compile(rf"[.!?\u2026\u0964\u061f\u3002\uff01\uff1f][{_CLOSING}]*$")
_MAY_BE_END: Final = ".!?\u2026\u0964\u061f\u3002\uff01\uff1f\"')]\u201d\u2019\u00bb\u300d*"
"""Characters of an end that more of them, or what follows, can still change."""
_TITLE: Final = re.compile(r"(?:^|\W)(?:Mr|Mrs|Ms|Dr|St|Sr|Jr|No|vs|[A-Z])\.$")
_TITLE_CHARS: Final = 5
_LIST_NUMBER: Final = re.compile(r"\s*\d{1,2}\.")
_MAY_END: Final = re.compile(
    rf"[\s.,;:!?\u2026\u0964\u061f\u3002\uff01\uff1f{_CLOSING}\u2013\u2014-]*$"
)
"""Text that is held until more follows: a sentence may end here, or break off."""
_WORD: Final = re.compile(r"\s*[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,32}$|.$")
"""A word that may go on, and the space before it; of a script without spaces, a character."""
_GOES_ON: Final = tuple(":,;-\u2013\u2014")
"""Characters that no sentence ends with."""
_FIRST_WORD: Final = re.compile(r"\W{0,3}\w+")
MAX_HELD_CHARS: Final = 400
"""A sentence that does not end is let go in parts after this many."""
_CONTEXT_CHARS: Final = 8


@dataclass(frozen=True, slots=True)
class Said:
    """A part of a reply, as listeners get it."""

    text: str
    ends_sentence: bool


class Sentences:
    """Holds a sentence until it is whole, so that one that is never finished is never begun.

    The first is let go as it comes, its first word at once and the others less one: without it
    the reply would be empty, so it is said in any case. Should it break off, an ellipsis ends it.
    """

    def __init__(self, *, hold_first: bool = False) -> None:
        """``hold_first``: let even the first one go only when it is whole."""
        self._held = ""
        self._checked = 0
        """Length of the held text in which no end begins."""
        self._before = ""
        """The last characters that were let go, for what an end depends on."""
        self._flows = not hold_first
        """True = the sentence at hand is let go as it comes."""
        self._begun = False
        """Some of it was."""
        self._spoke = False

    def feed(self, text: str) -> list[Said]:
        """Take a piece; return what can be let go now."""
        self._held += text
        if not self._spoke:
            self._held, self._checked = self._held.lstrip(), 0
        said = []
        while end := self._sentence_end():
            said.append(self._let(end, ends_sentence=True))
            self._flows = self._begun = False
        if len(self._held) > MAX_HELD_CHARS:
            self._flows = True
        while self._flows and (certain := self._certain()):
            said.append(self._let(certain, ends_sentence=False))
            self._begun = True
        return said

    def rest(self, *, finished: bool) -> list[Said]:
        """Release what is left to say, at the end.

        Args:
            finished: the model was done; else it was cut off. A sentence that is not whole then,
                or that ends with a colon or the like, is dropped, unless nothing is left without.
        """
        self._held = self._held.rstrip()
        whole = _ENDED.search(self._before + self._held)
        if not whole and not (finished and self._held[-1:] not in _GOES_ON):
            self._break_off()
        return [self._let(len(self._held), ends_sentence=True)] if self._held else []

    def _break_off(self) -> None:
        if self._begun:
            half = _WORD.search(self._held)
            if half and (half[0][0].isspace() or not self._before[-1:].isalnum()):
                self._held = self._held[: half.start()]
        elif self._spoke or not self._held:
            self._held = ""
            return
        self._held = _MAY_END.sub("", self._held, count=1) + "\u2026"

    def _sentence_end(self) -> int:
        """Position at which the first sentence held ends; 0 = it does not, as far as is known."""
        start, text = len(self._before), self._before + self._held
        for found in _END.finditer(text, start + self._checked):
            end = found.end()
            if end > start and not _is_abbreviation(text, end):
                return end - start
        self._checked = len(self._held.rstrip(_MAY_BE_END))
        return 0

    def _certain(self) -> int:
        """Length of the held text that neither ends the sentence nor is half a word."""
        if not self._spoke:
            first = _FIRST_WORD.match(self._held)
            return first.end() if first is not None else 0
        for pattern in (_MAY_END, _WORD):
            found = pattern.search(self._held)
            if found is not None and found[0]:
                return found.start()
        return 0

    def _let(self, length: int, *, ends_sentence: bool) -> Said:
        text, self._held = self._held[:length], self._held[length:]
        self._checked = max(0, self._checked - length)
        self._before = (self._before + text)[-_CONTEXT_CHARS:]
        self._spoke = True
        return Said(text, ends_sentence)


def _is_abbreviation(text: str, end: int) -> bool:
    """True if the full stop before ``end`` ends a title, an initial or a list item's number."""
    if text[end - 1] != ".":
        return False
    if _TITLE.search(text, max(0, end - _TITLE_CHARS), end):
        return True
    line = text.rfind("\n", 0, end) + 1
    return _LIST_NUMBER.fullmatch(text, line, end) is not None


def sentences_of(text: str) -> list[str]:
    """The sentences of a whole text."""
    sentences = Sentences(hold_first=True)
    parts = [*sentences.feed(text), *sentences.rest(finished=True)]
    return [part.text.strip() for part in parts]
