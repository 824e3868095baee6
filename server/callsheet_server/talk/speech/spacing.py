"""Blanks before punctuation, as in ``Milo Hale .``."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Spacing"]

_CLOSED: Final = "(?=[\\s\"')\\]\u201d\u2019\u00bb*]|$)"
_BLANK: Final = re.compile(
    rf"(?<![\s.]) +(?=(?P<mark>\.(?! ?\.)|,|[!?]+){_CLOSED}|(?P<colon>[:;])(?=\s|$))"
)
"""Blanks that go. Those of "Well ...", " . . .", " :)" and " .5" stay."""
_GROWING: Final = re.compile(r" +[\s.,!?:;]*$")
"""Text whose blanks are judged by what follows."""
_FRENCH: Final = re.compile(
    r"[\u00e0\u00e2\u00e7\u00e8\u00e9\u00ea\u00eb\u00ee\u00ef\u00f4\u00f9\u00fb\u0153]"
    r"|\b(?:bonjour|bonsoir|merci|oui|le|les|une|des|je|tu|elle|vous|nous|est|et|qui|pas)\b",
    re.IGNORECASE,
)
"""Signs of a language that writes a blank before all but a comma and a full stop."""
_FRENCH_CHARS: Final = 200
_CONTEXT_CHARS: Final = _FRENCH_CHARS + 1
"""One more, so that a word is never taken for half of one."""


class Spacing:
    """Drops the blanks that a model, or a direction that was taken out, left before punctuation."""

    def __init__(self) -> None:
        self._held = ""
        self._before = ""
        """The last characters that were let through."""

    def feed(self, text: str) -> str:
        """Take a piece; hold blanks at its end, with the punctuation behind them."""
        text = self._held + text
        growing = _GROWING.search(text)
        certain = growing.start() if growing is not None else len(text)
        self._held = text[certain:]
        return self._let(text[:certain])

    def rest(self) -> str:
        """Release what is still held."""
        held, self._held = self._held, ""
        return self._let(held)

    def _let(self, text: str) -> str:
        known = len(self._before)
        context = self._before + text
        said, at = [], known
        for blank in _BLANK.finditer(context, known):
            mark = blank["mark"] or blank["colon"]
            if mark in ".," or not self._is_french(context, blank.start()):
                said.append(context[at : blank.start()])
                at = blank.end()
        said.append(context[at:])
        self._before = context[-_CONTEXT_CHARS:]
        return "".join(said)

    @staticmethod
    def _is_french(context: str, end: int) -> bool:
        return _FRENCH.search(context, max(0, end - _FRENCH_CHARS), end) is not None
