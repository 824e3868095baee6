"""Stage directions: what the NPC does, in the middle of what it says."""

from __future__ import annotations

import re
from typing import Final, Literal

__all__ = ["BracketedDirections", "StageDirections", "StarredDirections"]

StageDirections = Literal["keep", "strip", "apart"]
MAX_CHARS: Final = 200
"""Longest direction; a longer one is none."""
_SENTENCE_END: Final = re.compile(
    r"(?:^|[.!?\u2026\u3002\uff01\uff1f:\n][\"')\]\u201d\u2019]*)\s*$"
)
_DOING: Final = re.compile(r"[a-z]+(?:s|ing|ed)\b[^()]*")
"""Text that stands in brackets and is no speech: "laughs", "pausing for a moment"."""
_CONTEXT_CHARS: Final = 8


class _Directions:
    """Lets text through, and takes directions out of it."""

    def __init__(self, mode: StageDirections, found: list[str]) -> None:
        """``found`` gets what is taken out, oldest first."""
        self._keep = mode == "keep"
        self._found = found
        self._held = ""
        self._before = ""
        """The last characters that were let through."""
        self._took_out = False
        """True if a direction was taken out just now."""

    def feed(self, text: str) -> str:
        """Take a piece; hold what may become a direction, up to its end."""
        return text if self._keep else "".join(map(self._take, text))

    def _take(self, char: str) -> str:
        raise NotImplementedError

    def _cut(self) -> None:
        self._found.append(self._held.strip())
        self._held, self._took_out = "", True

    def _let(self, text: str) -> str:
        if self._took_out and text:
            if text.isspace() and (not self._before or self._before[-1].isspace()):
                return ""  # One space is enough where a direction stood between two.
            self._took_out = False
        self._before = (self._before + text)[-_CONTEXT_CHARS:]
        return text


class StarredDirections(_Directions):
    """``*wipes a tankard*``.

    A direction stands between single asterisks, and either has several words or stands where a
    sentence could begin. ``*so*`` in mid-sentence, and what stands between two asterisks or more,
    is emphasis: only the asterisks go.
    """

    _opening = _closing = 0
    """Asterisks around what is held."""

    def rest(self) -> str:
        """Release text whose emphasis was never closed; of an unfinished direction, nothing."""
        unfinished = self._opening == 1 and self._is_direction()
        return "" if unfinished else self._release()

    def _take(self, char: str) -> str:
        if not self._opening:
            if char != "*":
                return self._let(char)
            self._opening = 1
        elif char == "*" and not self._held:
            self._opening += 1
        elif char == "*":
            self._closing += 1
            if self._closing == self._opening:
                return self._close()
        elif self._goes_on(char):
            self._held += char
        else:
            return self._release() + self._let(char)
        return ""

    def _goes_on(self, char: str) -> bool:
        if self._closing or char == "\n" or len(self._held) >= MAX_CHARS:
            return False
        return bool(self._held) or not char.isspace()

    def _close(self) -> str:
        if self._opening > 1 or not self._is_direction():
            return self._release()
        self._opening = self._closing = 0
        self._cut()
        return ""

    def _release(self) -> str:
        held, self._held, self._opening, self._closing = self._held, "", 0, 0
        return self._let(held)

    def _is_direction(self) -> bool:
        return len(self._held.split()) > 1 or _SENTENCE_END.search(self._before) is not None


class BracketedDirections(_Directions):
    """``(laughs)``: in brackets, in small letters, and somebody does something."""

    _open = False

    def rest(self) -> str:
        """A bracket that was never closed, unless it began a direction."""
        return "" if self._open and _DOING.match(self._held) else self._release()

    def _take(self, char: str) -> str:
        if not self._open:
            self._open = char == "("
            return "" if self._open else self._let(char)
        if char == ")" and _DOING.fullmatch(self._held):
            self._open = False
            self._cut()
            return ""
        if char in "()\n" or len(self._held) >= MAX_CHARS or not (self._held or char.islower()):
            return self._release() + self._let(char)
        self._held += char
        return ""

    def _release(self) -> str:
        if not self._open:
            return ""
        held, self._held, self._open = self._held, "", False
        return self._let(f"({held}")
