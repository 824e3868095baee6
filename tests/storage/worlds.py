"""Worlds on disk for tests."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from callsheet.wire import NpcSpec, PlayerSpec
from callsheet_server.storage import statements
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.statements import Statement

WORLD = "town"


def content(turns: int = 3) -> Iterable[Statement]:
    """A world with a bit of everything."""
    yield statements.put_world("config", {"lore": "It rains."})
    yield statements.put_npc(NpcSpec(npc="bob", name="Bob"), 1 << 20, 30.0)
    yield statements.put_player(PlayerSpec(player="ann", name="Ann"), 1)
    yield statements.put_fact("bob", "debt", {"to": "ann", "amount": 3})
    yield statements.put_session("s", b"t" * 96, 7)
    yield statements.open_request("s", 7)
    for number in range(turns):
        yield statements.add_turn("bob", None if number % 2 else "Ann", f"turn {number}", 1.5)
        yield statements.put_answer("s", number + 1, b'{"type":"ok","id":1}')


def make(folder: Path, world: str = WORLD, turns: int = 3) -> Path:
    """Write such a world; the path of its database."""
    path = Folder(folder).file(world)
    with closing(WorldFile(path, world)) as file:
        file.apply([(list(content(turns)), None)])
    return path


def texts(path: Path, world: str = WORLD) -> list[str]:
    """What was said, in order."""
    with closing(WorldFile(path, world)) as file:
        return [row["text"] for row in file.rows("turns")]
