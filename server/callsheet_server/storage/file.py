"""One world's database. Blocks: for the writer's threads and for commands, never the event loop."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError

from callsheet_server.storage import rows
from callsheet_server.storage.errors import UnreadableWorldError, WorldFileGoneError
from callsheet_server.storage.journal_mode import open_database
from callsheet_server.storage.saved import (
    Restored,
    SavedSession,
    SavedTurn,
    SavedWorld,
)
from callsheet_server.storage.schema import CHECKED, migrate
from callsheet_server.storage.statements import (
    checksum,
    checksum_of_columns,
    quarantine,
    statements_of,
)
from callsheet_server.storage.timelines import (
    FACTS,
    REMEMBERED,
    changed_npcs,
    reach,
    spans_before_load,
    sweep,
)
from callsheet_server.storage.writes import Write

__all__ = ["WorldFile"]

logger = logging.getLogger(__name__)

PAGE_BYTES = 4096
PRIVATE = 0o600
"""Mode of databases and backups: what NPCs remember is their owner's business."""
BUSY_TIMEOUT_S = 5.0
"""Wait for a backup from another process that holds the database for a moment."""

SEARCH = f"""
SELECT turns.id, turns.npc, speaker, turns.text, game_time_s, crc,
    snippet(recall, 1, '', '', '...', 48)
FROM recall CROSS JOIN turns ON turns.id = recall.rowid
WHERE recall MATCH ?
    AND recall.rowid <= (
        SELECT id FROM turns WHERE npc = ? AND {REMEMBERED} ORDER BY id DESC LIMIT 1 OFFSET ?
    )
    AND turns.npc = ? AND {REMEMBERED}
ORDER BY bm25(recall, 0, 1) LIMIT ?
"""  # noqa: S608
"""CROSS JOIN: begin with the index, whatever SQLite thinks of it."""

RESCHEDULE = """
WITH called AS MATERIALIZED (
    SELECT key, value FROM saves, json_each(state, '$.schedules') WHERE name = ?1
), announced AS MATERIALIZED (
    SELECT key, value FROM saves, json_each(state, '$.hints') WHERE name = ?1
), changed AS MATERIALIZED (
    SELECT row, json_set(spec, '$.schedule', json(called.value)) AS spec, announced.value AS hint_s
    FROM called JOIN npcs ON npcs.npc = called.key
        LEFT JOIN announced ON announced.key = called.key
    WHERE alive AND json_valid(spec) AND (
        json_extract(spec, '$.schedule') IS NOT called.value OR hint_s IS NOT announced.value
    )
)
UPDATE npcs SET spec = changed.spec, hint_s = changed.hint_s,
    crc = checksum(npcs.row, handle, npc, alive, changed.spec, changed.hint_s)
FROM changed WHERE npcs.row = changed.row AND crc = checksum(
    npcs.row, handle, CAST(npc AS BLOB), alive, CAST(npcs.spec AS BLOB), npcs.hint_s
)
"""
"""Put the schedules and announced calls of a save back; damaged rows stay as they are."""

T = TypeVar("T")


class WorldFile:
    """An open database. Every commit is on the disk when ``apply`` returns."""

    def __init__(
        self,
        path: Path,
        world: str,
        max_bytes: int = 0,
        quarantined: Counter[str] | None = None,
    ) -> None:
        """Open, or create, and bring up to this version's schema.

        Args:
            path: the database.
            world: its name.
            max_bytes: as large as it may get; 0 = as the disk allows.
            quarantined: where damaged rows that are taken out are counted, by table.

        Raises:
            NewerWorldError: a later version wrote it.
            UnreadableWorldError: it is not a database of ours, or its structure is damaged.
            sqlite3.Error: the disk is full or fails.
            OSError: the file may not be opened.
        """
        self.world = world
        self.path = path
        self.quarantined: Counter[str] = Counter() if quarantined is None else quarantined
        """Damaged rows taken out, by table."""
        _make_private(path)
        self._identity = _identity(path)
        # Threads take turns, one at a time: see ``Writer``.
        try:
            self._connection = open_database(path, BUSY_TIMEOUT_S)
        except sqlite3.Error as error:
            raise self._judged(error) from None
        # Text that is not UTF-8 any more is damage like other damage: checksums find it.
        self._connection.text_factory = lambda text: text.decode("utf-8", "backslashreplace")
        self._connection.create_function("checksum", -1, checksum_of_columns, deterministic=True)
        try:
            self._connection.execute("PRAGMA synchronous = FULL")
            if max_bytes:
                self._connection.execute(f"PRAGMA max_page_count = {max_bytes // PAGE_BYTES}")
            migrate(self._connection, world)
        except BaseException as error:
            self._connection.close()
            raise self._judged(error) from None

    def close(self) -> None:
        self._connection.close()

    # --- writing -----------------------------------------------------------------------------

    def apply(
        self, changes: Iterable[tuple[Sequence[Write], Callable[[WorldFile], Any] | None]]
    ) -> list[Any]:
        """Carry out changes, all in one transaction, each with what it reads after it.

        Returns:
            What each has read, None for those that read nothing.

        Raises:
            sqlite3.Error: nothing was changed.
            WorldFileGoneError: the file is not in its place, so that nothing was kept.
        """
        run = self._connection.execute
        results = []
        run("BEGIN IMMEDIATE")
        try:
            for writes, read in changes:
                for write in writes:
                    for statement in statements_of(write):
                        run(*statement)
                results.append(None if read is None else read(self))
            run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise
        if _identity(self.path) != self._identity:
            raise WorldFileGoneError(f"{self.path} was deleted or replaced while the server had it")
        return results

    # --- reading -----------------------------------------------------------------------------

    def restored(self, name: str, npcs: Iterable[str]) -> Restored:
        """Read what a load, the latest write, has brought back, but for turns.

        Schedules are put back. Without a save of that name, or with a damaged one, there are none.
        """
        changed = changed_npcs(self._connection, spans_before_load(self._connection))
        of = [npc for npc in npcs if changed is None or npc in changed]
        states = self._read("saves", lambda row: orjson.loads(row["state"]), "name = ?", (name,))
        state: dict[str, Any] = next(states, {"schedules": {}, "hints": {}})
        facts = self.facts(of)
        self._connection.execute(RESCHEDULE, (name,))
        return Restored({npc: facts.get(npc, {}) for npc in of}, **state)

    def sweep(self, limit: int) -> bool:
        """Delete some of what neither now nor a save reaches; whether there may be more."""
        return sweep(self._connection, limit)

    def load(self) -> SavedWorld:
        """Read the world as its game left it, but for turns.

        Damaged rows are quarantined. An NPC whose row is damaged is missing then; its turns stay.

        Raises:
            UnreadableWorldError: the structure is damaged, not only rows.
        """
        try:
            return self._load()
        except sqlite3.DatabaseError as error:
            raise self._judged(error) from None

    def _load(self) -> SavedWorld:
        if not all(sound for _, _, sound in self._checked("timelines")):
            raise UnreadableWorldError(f"world {self.world}: its timelines are damaged")
        saves = list(self._read("saves", rows.save, "1 ORDER BY saved_at, rowid"))
        sessions = list(self._read("sessions", self._session))
        if not sessions:
            return SavedWorld(self.world, saves)
        npcs = list(self._read("npcs", rows.npc))
        alive = [npc.spec.npc for npc in npcs if npc.alive]
        values = dict(self._read("world", lambda row: (row["name"], orjson.loads(row["value"]))))
        return SavedWorld(
            name=self.world,
            saves=saves,
            config=values.get("config", {}),
            counters=values.get("counters", {}),
            learned=values.get("learned", {}),
            npcs=npcs,
            players=list(self._read("players", rows.player)),
            facts=self.facts(alive),
            sessions=sessions,
        )

    def facts(self, npcs: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Read the facts noted about NPCs, of those that have any."""
        reach(self._connection)
        of = (orjson.dumps(list(npcs)).decode(),)
        return rows.facts(self._read("notes", rows.note, FACTS, of))

    def latest_turns(self, npc: str, max_turns: int) -> list[SavedTurn]:
        """Read the latest turns that an NPC remembers, oldest first."""
        reach(self._connection)
        latest = f"npc = ? AND {REMEMBERED} ORDER BY id DESC LIMIT {int(max_turns)}"
        return list(self._read("turns", rows.turn, latest, (npc,)))[::-1]

    def search(self, match: str, npc: str, latest: int, limit: int) -> dict[int, SavedTurn]:
        """Find turns of an NPC that fit, best first, by ``id``. Damaged ones are passed over.

        Args:
            match: an FTS5 expression.
            npc: whose turns.
            latest: its latest turns, so many, are not looked at.
            limit: the most to find.

        Raises:
            sqlite3.Error: the index is damaged, or ``match`` is no expression.
        """
        reach(self._connection)
        found = {}
        for row in self._connection.execute(SEARCH, (match, npc, latest, npc, limit)):
            id_, *said, crc, part = row
            if checksum(*said) == crc:
                _, speaker, _, game_time_s = said
                found[id_] = SavedTurn(speaker, part, game_time_s)
        return found

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """All sound rows of a table, in order, without their checksums."""
        yield from self._read(table, lambda row: {k: row[k] for k in row if k != "crc"})

    def damage(self) -> list[str]:
        """Look at the whole file and every checksum; say what is wrong, a line each."""
        found = [
            f"{self.path.name}: {text}"
            for (text,) in self._connection.execute("PRAGMA integrity_check(20)")
            if text != "ok"
        ]
        for table in CHECKED:
            bad = [rowid for rowid, _, sound in self._checked(table) if not sound]
            if bad:
                found.append(f"{table}: {len(bad)} damaged rows, the first has rowid {bad[0]}")
        return found

    def count(self, table: str) -> int:
        """Rows of a table."""
        (rows,) = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        return int(rows)

    def copy_to(self, target: Path, progress: Callable[[int, int], None]) -> None:
        """Write a consistent copy while others go on writing; told of pages left and in all."""
        _make_private(target)
        copy = sqlite3.connect(target, isolation_level=None)
        try:
            self._connection.backup(
                copy, pages=1024, progress=lambda _, left, total: progress(left, total)
            )
        finally:
            copy.close()

    # --- inside ------------------------------------------------------------------------------

    def _judged(self, error: BaseException) -> BaseException:
        """The error to raise: an ``UnreadableWorldError`` if the file itself is to blame."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return UnreadableWorldError(f"world {self.world}: {self.path.name}: {error}")
        return error

    def _session(self, row: dict[str, Any]) -> SavedSession:
        session = row["session"]
        answers = self._read(
            "answers", lambda a: (a["seq"], a["frame"]), "session = ? ORDER BY seq", (session,)
        )
        requests = self._connection.execute(
            "SELECT request FROM open_requests WHERE session = ? ORDER BY request", (session,)
        )
        return SavedSession(
            session=session,
            tokens=row["tokens"],
            last_request_id=row["last_request_id"],
            answers=list(answers),
            open_requests=[request for (request,) in requests.fetchall()],
        )

    def _read(
        self,
        table: str,
        make: Callable[[dict[str, Any]], T],
        where: str = "1",
        parameters: tuple[Any, ...] = (),
    ) -> Iterator[T]:
        """Make something of every sound row, and quarantine the others."""
        bad: list[tuple[int, dict[str, Any]]] = []
        for rowid, row, sound in self._checked(table, where, parameters):
            try:
                if sound:
                    yield make(row)
                    continue
            except (ValidationError, orjson.JSONDecodeError) as error:
                logger.warning("world %s: %s row %d: %s", self.world, table, rowid, error)
            bad.append((rowid, row))
        for rowid, row in bad:
            self._quarantine(table, rowid, row)

    def _checked(
        self, table: str, where: str = "1", parameters: tuple[Any, ...] = ()
    ) -> Iterator[tuple[int, dict[str, Any], bool]]:
        """Rows with their rowid and whether their checksum is right."""
        cursor = self._connection.execute(
            f"SELECT rowid AS at, * FROM {table} WHERE {where}",  # noqa: S608
            parameters,
        )
        names = [column[0] for column in cursor.description]
        for values in cursor:
            row = dict(zip(names, values, strict=True))
            rowid = row.pop("at")
            yield rowid, row, _is_sound(table, row)

    def _quarantine(self, table: str, rowid: int, row: dict[str, Any]) -> None:
        name = next(iter(row.values()))
        logger.error(
            "world %s: a damaged row of %s (rowid %d, %r) was moved to the table quarantine; "
            "`callsheet world check` lists them",
            self.world,
            table,
            rowid,
            row.get("npc", name),
        )
        self.quarantined[table] += 1
        for statement in quarantine(table, rowid, row.values()):
            self._connection.execute(*statement)


def _make_private(path: Path) -> None:
    """Make a file that only its owner can read, or make it so; SQLite's side files follow it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))
    if path.stat().st_mode & 0o077:
        with contextlib.suppress(PermissionError):  # Somebody else owns it, and lets us write.
            path.chmod(PRIVATE)


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and number of the file at a path; None = there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_dev, stat.st_ino


def _is_sound(table: str, row: dict[str, Any]) -> bool:
    """Tell whether a checksum is right; ``id`` numbers a row and is not part of what it says."""
    said = [v for k, v in row.items() if k not in ("crc", "id")]
    return bool(checksum(*said) == row["crc"])
