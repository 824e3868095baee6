"""Cast files: NPCs as games spawn them, with all that is known of where they came from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from callsheet.cast.character import LoreEntry, Section
from callsheet.cast.errors import CastError
from callsheet.wire.world import NpcSpec

__all__ = ["FORMAT", "VERSION", "Cast", "CastNpc", "is_cast_file", "read_cast", "write_cast"]

FORMAT: Final = "callsheet.cast"
SIGN: Final = rb'(?:\xef\xbb\xbf)?\s*\{\s*"format"\s*:\s*"callsheet\.cast"'
VERSION: Final = 1
"""Grows when a reader of before would misread a file; fields are added without it."""


@dataclass(frozen=True, slots=True)
class CastNpc:
    """An NPC of a cast."""

    npc: str
    """Its id; what it remembers hangs on it."""
    name: str
    persona: str = ""
    """Its parts put together, within the budget of the import."""
    source: str = ""
    format: str = ""
    tokens: int = 0
    """Tokens of the persona, as counted at the import."""
    archetype: str | None = None
    sociability: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    greetings: tuple[str, ...] = ()
    group_greetings: tuple[str, ...] = ()
    material: str = ""
    """Instructions for each of its replies."""
    lorebook: tuple[LoreEntry, ...] = ()
    lorebook_budget_tokens: int | None = None
    sections: tuple[Section, ...] = ()
    """Parts of the persona, all of them, untrimmed."""
    extras: dict[str, Any] = field(default_factory=dict)

    def spec(self) -> NpcSpec:
        """Describe the NPC as ``spawn`` wants it."""
        return NpcSpec(
            npc=self.npc,
            name=self.name,
            persona=self.persona,
            archetype=self.archetype,
            sociability=self.sociability,
        )


@dataclass(frozen=True, slots=True)
class Cast:
    """NPCs, what all of them know, and the lock that keeps their ids."""

    npcs: tuple[CastNpc, ...] = ()
    lore: str = ""
    """Known to everybody: for ``configure_world``."""
    lorebook: tuple[LoreEntry, ...] = ()
    """Known to everybody when a key is heard: for a ``Lorebook`` mod."""
    lorebook_budget_tokens: int | None = None
    ids: dict[str, str] = field(default_factory=dict)
    """Source -> id, of those too that are gone: nobody else gets theirs."""

    def specs(self) -> list[NpcSpec]:
        """Describe all NPCs as ``spawn`` wants them."""
        return [npc.spec() for npc in self.npcs]

    def npc(self, npc: str) -> CastNpc | None:
        """Find an NPC by its id."""
        return next((one for one in self.npcs if one.npc == npc), None)


_CAST: Final = TypeAdapter(Cast)


def is_cast_file(path: Path) -> bool:
    """Tell whether a path is a cast file, by its first field."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return re.match(SIGN, file.read(200)) is not None


def read_cast(path: Path) -> Cast:
    """Read a cast file.

    Raises:
        CastError: it is none, is damaged, or is of a later version.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise CastError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise CastError(f"{path}: is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CastError(f'{path}: is no cast file: it has no "format": "{FORMAT}"')
    version = document.get("version")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise CastError(f"{path}: version {version} is not known here; this reads up to {VERSION}")
    try:
        return _CAST.validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise CastError(f"{path}: {where}: {first['msg']}") from None


def write_cast(cast: Cast) -> bytes:
    """Write a cast file; fields that say nothing are left out of NPCs and entries."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "lore": cast.lore,
        "lorebook": _lean(cast.lorebook),
        "lorebook_budget_tokens": cast.lorebook_budget_tokens,
        "npcs": [
            {**_without_blanks(npc), **({"lorebook": _lean(npc.lorebook)} if npc.lorebook else {})}
            for npc in cast.npcs
        ],
        "ids": cast.ids,
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _lean(entries: Sequence[LoreEntry]) -> list[dict[str, Any]]:
    return [_without_blanks(entry) for entry in entries]


def _without_blanks(one: CastNpc | LoreEntry) -> dict[str, Any]:
    values = {field.name: getattr(one, field.name) for field in fields(one)}
    return {name: value for name, value in values.items() if value not in (None, "", (), {})}
