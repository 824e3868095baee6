"""Quotation marks around a whole reply."""

from __future__ import annotations

from typing import Final

__all__ = ["Unquoted"]

_MARKS: Final = str.maketrans("", "", '"\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d')


class Unquoted:
    """Drops the double quotation marks of a reply that begins with one.

    What is said needs none, and a mark inside may be the last one as well as any other.
    """

    def __init__(self) -> None:
        self._begun = self._quoted = False

    def feed(self, text: str) -> str:
        """Take a piece; nothing is held."""
        opening = text.lstrip()
        if not self._begun and opening:
            self._begun = True
            self._quoted = not opening[0].translate(_MARKS)
        return text.translate(_MARKS) if self._quoted else text

    def rest(self) -> str:
        """Release nothing: nothing is held."""
        return ""
