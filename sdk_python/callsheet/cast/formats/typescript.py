"""Characters in TypeScript source, as ai-town has them: read as text, never run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from callsheet.cast.character import Character
from callsheet.cast.errors import NotACharacterError
from callsheet.cast.formats.places import Place, build

__all__ = ["is_source", "read_source"]

PIECE: Final = re.compile(
    r"//[^\n]*|/\*.*?(?:\*/|\Z)"
    r"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`"
    r"|[A-Za-z_$][\w$]*|[{}\[\]:,]|\S",
    re.DOTALL,
)
PLACES: Final[dict[str, Place]] = {
    "name": "name",
    "identity": "description",
    "bio": "description",
    "plan": "background",
}
ESCAPES: Final = {"n": "\n", "t": "\t", "r": ""}


def is_source(text: str) -> bool:
    """Tell whether a text may be source with characters in it."""
    return re.search(r"\bidentity\s{0,9}:", text) is not None


def read_source(source: str, text: str) -> Iterator[Character]:
    """Read every object literal that has a name and an identity.

    Raises:
        NotACharacterError: there is none.
    """
    found = 0
    for fields in _objects(text):
        if "name" in fields and ("identity" in fields or "bio" in fields):
            found += 1
            yield build(f"{source}#{fields['name']}", "ai-town", fields, PLACES, "")
    if not found:
        raise NotACharacterError("is source without a character in it")


def _objects(text: str) -> Iterator[dict[str, str]]:
    """Yield the text fields of each object literal; comments are none."""
    open_objects: list[dict[str, str]] = []
    pieces = [t[0] for t in PIECE.finditer(text) if not t[0].startswith(("//", "/*"))]
    for number, piece in enumerate(pieces):
        if piece == "{":
            open_objects.append({})
        elif piece == "}" and open_objects:
            yield open_objects.pop()
        elif piece == ":" and open_objects and 0 < number < len(pieces) - 1:
            key, value = _unquoted(pieces[number - 1]), pieces[number + 1]
            if value[0] in "'\"`" and len(value) > 1:
                open_objects[-1][key] = _unquoted(value)


def _unquoted(piece: str) -> str:
    if piece[0] not in "'\"`":
        return piece
    inner = re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), piece[1:-1], flags=re.S)
    return re.sub(r"\s*\n\s*", " ", inner)
