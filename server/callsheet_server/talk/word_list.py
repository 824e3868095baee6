"""The simple moderation: words and patterns that may not be said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from callsheet_server.talk.visible import without_unseen

__all__ = ["WordList", "WordListError"]


class WordListError(ValueError):
    """A line of a word list is not valid; the text names line and reason."""


class WordList:
    """One entry a line: a word or phrase, or ``/a regular expression/``. ``#`` begins a comment.

    Words match as whole words, whatever their case, accents or width, and whatever stands between
    their letters that cannot be seen.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        """Raise ``WordListError`` for a pattern that is none."""
        words: list[str] = []
        self._patterns: list[re.Pattern[str]] = []
        for number, line in enumerate(lines, start=1):
            entry = line.strip()
            if not entry or entry.startswith("#"):
                continue
            if len(entry) > 2 and entry[0] == entry[-1] == "/":
                try:
                    self._patterns.append(re.compile(entry[1:-1], re.IGNORECASE))
                except re.error as error:
                    raise WordListError(f"line {number}: {entry}: {error}") from None
            elif folded := _folded(entry):
                words.append(r"\s+".join(map(re.escape, folded.split())))
        if words:
            self._patterns.append(re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)"))

    def allows(self, text: str) -> bool:
        """True if nothing listed is in ``text``, be what is unseen in it nothing or a space."""
        seen = {text, _folded(text), _folded(without_unseen(text, " "))}
        return not any(p.search(one) for p in self._patterns for one in seen)


def _folded(text: str) -> str:
    parts = unicodedata.normalize("NFKD", without_unseen(text).casefold())
    return "".join(c for c in parts if not _is_mark(c))


def _is_mark(character: str) -> bool:
    """True for accents, and for what encloses a letter."""
    return bool(unicodedata.combining(character)) or unicodedata.category(character) == "Me"
