"""Macros and template code in other people's texts: names are filled in, code is never run."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MAX_TEXT_CHARS", "PLAYER", "fill_macros"]

PLAYER: Final = "the visitor"
"""Name for whoever is spoken to: one for all, so that a persona stays the same prefix for all."""
MAX_TEXT_CHARS: Final = 200_000
"""Longest text that is looked at; a persona may have 16,000."""

_USER: Final = re.compile(
    r"\{\{ ?(?:user|user_?name) ?\}\}|<user>|\{(?:user|player|player_name|your_name)\}",
    re.IGNORECASE,
)
_CHAR: Final = re.compile(
    r"\{\{ ?(?:char|char_?name|bot) ?\}\}|<(?:char|bot)>"
    r"|\{(?:char|npc|name|character_name|bot_name)\}",
    re.IGNORECASE,
)
_CHOICE: Final = re.compile(r"\{\{ ?(?:random|pick) ?::?([^{}]{1,500})\}\}", re.IGNORECASE)
_ORIGINAL: Final = re.compile(r"\{\{ ?original ?\}\}", re.IGNORECASE)
_NEW_LINE: Final = re.compile(r"\{\{ ?newline ?\}\}", re.IGNORECASE)
_CODE: Final = re.compile(
    r"\{%[^%]{0,2000}%\}|\{#[^#]{0,2000}#\}|<%[^%]{0,2000}%>"
    r"|\{\{[^{}]{0,500}\}\}|\$\{[^{}]{0,500}\}"
)
"""Template code. Lengths are bounded: text full of openings costs no more than other text."""
_DEEPEST: Final = 3
"""Macros inside macros, at most so deep."""
_LOOSE_BLANKS: Final = re.compile(r"[ \t]+(?=\n|$)")
_LOOSE_LINES: Final = re.compile(r"\n{3,}")


def fill_macros(text: str, name: str) -> tuple[str, list[str]]:
    """Fill in the names, drop template code.

    Args:
        text: as it stands in the file; beyond ``MAX_TEXT_CHARS`` it is cut.
        name: the character's.

    Returns:
        The text, and the code that was dropped from it, each once.
    """
    text = text[:MAX_TEXT_CHARS].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    dropped: list[str] = []
    for _ in range(_DEEPEST):
        if "{" not in text and "<" not in text:
            break
        text = _CHAR.sub(lambda _: name, _USER.sub(PLAYER, text))
        text = _CHOICE.sub(lambda found: re.split(r"::|,", found[1])[0].strip(), text)
        text = _NEW_LINE.sub("\n", _ORIGINAL.sub("", text))
        code = _CODE.findall(text)
        if not code:
            break
        dropped += code
        text = _CODE.sub("", text)
    text = text.strip()
    if "\n" in text:
        text = _LOOSE_LINES.sub("\n\n", _LOOSE_BLANKS.sub("", text))
    return text, list(dict.fromkeys(dropped))
