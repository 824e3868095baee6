"""Streamed text in whole sentences, for who has to judge it before it is heard. Sans-I/O."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Sentences"]

_END: Final = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]+[\"')\]\u201d\u2019\u300d]*\s+|\n+")
MAX_HELD_CHARS: Final = 400
"""A sentence that does not end is let go in parts of this length."""


class Sentences:
    """Holds text back until its sentence has ended."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Take a piece; return what is complete by now, which may be nothing."""
        self._held += text
        ends = [found.end() for found in _END.finditer(self._held)]
        cut = ends[-1] if ends else 0
        if len(self._held) - cut > MAX_HELD_CHARS:
            cut = len(self._held)
        complete, self._held = self._held[:cut], self._held[cut:]
        return complete

    def rest(self) -> str:
        """What is still held; nothing is held afterwards."""
        rest, self._held = self._held, ""
        return rest
