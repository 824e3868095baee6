"""Worlds on disk for tests."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from callsheet.wire import NpcSpec, PlayerSpec
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.writes import (
    AddTurn,
    OpenRequest,
    PutAnswer,
    PutFact,
    PutNpc,
    PutPlayer,
    PutSession,
    PutWorld,
    Write,
)

WORLD = "town"
BROKEN = AddTurn(None, "Ann", "The database takes no turn of nobody's.", 0.0)  # type: ignore[arg-type]
"""A write that fails."""


def content(turns: int = 3) -> Iterable[Write]:
    """A world with a bit of everything."""
    yield PutWorld("config", {"lore": "It rains."})
    yield PutNpc(NpcSpec(npc="bob", name="Bob"), 1 << 20, 30.0)
    yield PutPlayer(PlayerSpec(player="ann", name="Ann"), 1)
    yield PutFact("bob", "debt", {"to": "ann", "amount": 3})
    yield PutSession("s", b"t" * 96, 7)
    yield OpenRequest("s", 7)
    for number in range(turns):
        yield AddTurn("bob", None if number % 2 else "Ann", f"turn {number}", 1.5)
        yield PutAnswer("s", number + 1, b'{"type":"ok","id":1}')


def make(folder: Path, world: str = WORLD, turns: int = 3) -> Path:
    """Write such a world; the path of its database."""
    path = Folder(folder).file(world)
    with closing(WorldFile(path, world)) as file:
        file.apply([(list(content(turns)), None)])
    return path


def texts(path: Path, world: str = WORLD) -> list[str]:
    """Turns of an NPC, in order."""
    with closing(WorldFile(path, world)) as file:
        return [row["text"] for row in file.rows("turns")]
