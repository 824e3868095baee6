"""``{{user}}`` and ``{{char}}`` of character cards, filled in."""

from __future__ import annotations

import re
from typing import Final

from callsheet_server.engine.prompt import fill_in

__all__ = ["Placeholders"]

_GROWING: Final = re.compile(r"\{(?:\{ ?(?:[a-z]{0,4} ?\}?)?)?$", re.IGNORECASE)


class Placeholders:
    """Fills them in as they come."""

    def __init__(self, char: str, user: str) -> None:
        self._names = {"char": char, "user": user}
        self._held = ""

    def feed(self, text: str) -> str:
        """Take a piece; return what holds no placeholder that may go on."""
        if not self._held and "{" not in text:
            return text
        self._held = fill_in(self._held + text, **self._names)
        growing = _GROWING.search(self._held)
        certain = growing.start() if growing is not None else len(self._held)
        said, self._held = self._held[:certain], self._held[certain:]
        return said

    def rest(self) -> str:
        """Release what is still held."""
        held, self._held = self._held, ""
        return held
