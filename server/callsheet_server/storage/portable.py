"""Worlds as files to keep or to move: backups (SQLite) and exports (JSON lines). Blocks."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

import orjson

from callsheet.wire.world import NpcSpec, PlayerSpec
from callsheet_server.storage.errors import StorageError, UnreadableWorldError
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import SIDE_FILES, Folder
from callsheet_server.storage.schema import VERSION
from callsheet_server.storage.writes import (
    PutFact,
    PutNpc,
    PutPlayer,
    PutRow,
    PutWorld,
    Write,
)

__all__ = ["ImportFileError", "back_up", "export", "import_world", "open_world", "restore"]

EXPORTED: Final = ("world", "npcs", "players", "timelines", "saves", "turns", "notes")
"""Sessions stay behind: their tokens are secrets, and nobody could resume them elsewhere."""
JSON: Final = ("spec", "value", "state")
"""Columns that hold JSON; written as what they say."""
COLUMNS: Final = {
    "timelines": ("id", "parent", "until", "after"),
    "saves": ("name", "timeline", "moment", "time_s", "saved_at", "state"),
    "turns": ("id", "npc", "speaker", "text", "game_time_s"),
    "notes": ("id", "moment", "npc", "name", "value", "game_time_s"),
}
"""Columns of the tables whose rows keep the numbers they had."""
LINES_PER_COMMIT = 1_000

Progress = Callable[[int, int], None]
"""Told how much is left, and of how much."""


class ImportFileError(StorageError):
    """The file to be restored or imported is no such file, or is damaged."""


def open_world(folder: Folder, world: str) -> WorldFile:
    """Open a world that exists.

    Raises:
        StorageError: there is none, or it cannot be read.
    """
    path = folder.file(world)
    if not path.is_file():
        known = ", ".join(folder.worlds()) or "none"
        raise StorageError(f"no world {world!r} in {folder.path}; there are: {known}")
    return WorldFile(path, world)


def back_up(folder: Folder, world: str, target: Path, progress: Progress) -> None:
    """Write a copy as of now; a server may go on writing. The target must not exist.

    Raises:
        StorageError: there is no such world.
        sqlite3.Error: the copy cannot be written.
    """
    with closing(open_world(folder, world)) as file:
        file.copy_to(target, progress)


def restore(folder: Folder, world: str, source: Path, progress: Progress) -> None:
    """Put a backup in the place of a world, which need not exist. No server may be running.

    Raises:
        ImportFileError: the backup is damaged, or is none.
        NewerWorldError: a later version wrote it.
        sqlite3.Error: the copy cannot be written.
    """
    with _replacing(folder.file(world), ".restoring") as fresh:
        try:
            uri = f"{source.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as backup:
                _copy(backup, fresh, progress)
            with closing(WorldFile(fresh, world)) as file:
                damage = file.damage()
        except (sqlite3.DatabaseError, UnreadableWorldError) as error:
            raise ImportFileError(f"{source}: is no backup that can be read: {error}") from None
        if damage:
            raise ImportFileError(f"{source}: is damaged: {'; '.join(damage)}")


def export(folder: Folder, world: str, out: TextIO) -> int:
    """Write a world as JSON lines; how many rows there were. Damaged ones are left out."""
    with closing(open_world(folder, world)) as file:
        rows = 0
        head = {"callsheet": "world", "schema": VERSION, "world": world}
        out.write(json.dumps(head, ensure_ascii=False) + "\n")
        for table in EXPORTED:
            for row in file.rows(table):
                plain = {k: json.loads(v) if k in JSON and v else v for k, v in row.items()}
                out.write(json.dumps({"table": table, **plain}, ensure_ascii=False) + "\n")
                rows += 1
        return rows


def import_world(folder: Folder, world: str, lines: TextIO, progress: Callable[[int], None]) -> int:
    """Make a world of an export, in the place of one of that name; how many rows there were.

    No server may be running.

    Raises:
        ImportFileError: a line is not one of an export, named by its number.
        sqlite3.Error: the world cannot be written.
    """
    rows = 0
    with (
        _replacing(folder.file(world), ".importing") as fresh,
        closing(WorldFile(fresh, world)) as file,
    ):
        batch: list[Write] = []
        for write in _parsed(lines):
            batch.append(write)
            rows += 1
            if len(batch) == LINES_PER_COMMIT:
                file.apply([(batch, None)])
                batch = []
                progress(rows)
        file.apply([(batch, None)])
    return rows


def _parsed(lines: TextIO) -> Iterator[Write]:
    """Yield a write for each line after the first."""
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
            if number == 1:
                if value["callsheet"] != "world" or value["schema"] > VERSION:
                    raise ValueError(f"schema {value['schema']}; this version knows {VERSION}")
                continue
            yield _write(value)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ImportFileError(
                f"line {number}: not a line of `callsheet world export`: {error!r}"
            ) from None


def _write(row: dict[str, Any]) -> Write:
    match row["table"]:
        case "world":
            return PutWorld(row["name"], row["value"])
        case "npcs":
            spec = NpcSpec.model_validate_json(json.dumps(row["spec"]))
            return PutNpc(spec, row["handle"], row["hint_s"], bool(row["alive"]))
        case "players":
            player = PlayerSpec.model_validate_json(json.dumps(row["spec"]))
            return PutPlayer(player, row["handle"])
        case "facts":  # of schema 3 and before
            return PutFact(row["npc"], row["name"], row["value"])
        case "timelines" | "saves" | "turns" | "notes" as table:
            values = {column: row[column] for column in COLUMNS[table]}
            plain = {k: _json(v) if k in JSON and v is not None else v for k, v in values.items()}
            return PutRow(table, plain)
        case table:
            raise ValueError(f"no table {table!r}")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


@contextmanager
def _replacing(path: Path, suffix: str) -> Iterator[Path]:
    """Path of a new database, which takes the place of ``path`` if the block does not raise."""
    fresh = path.with_suffix(suffix)
    _remove(fresh)
    try:
        yield fresh
        # A log left beside the new database would be played into it.
        for side in SIDE_FILES[1:]:
            path.with_name(path.name + side).unlink(missing_ok=True)
        fresh.replace(path)
    except BaseException:
        _remove(fresh)
        raise


def _copy(backup: sqlite3.Connection, target: Path, progress: Progress) -> None:
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        backup.backup(copy, pages=1024, progress=lambda _, left, total: progress(left, total))


def _remove(path: Path) -> None:
    """Delete a database and its side files, if they are there."""
    for side in SIDE_FILES:
        path.with_name(path.name + side).unlink(missing_ok=True)
