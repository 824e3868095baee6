"""Timelines: what a world remembers now and what its saves hold, without a copy of a turn.

Turns are numbered as they are told. A *moment* is such a number: everything up to it, or after it.
A save is a timeline and a moment. A load begins a new timeline, which forks from the save's at the
save's moment. So what is remembered lies in a few spans of turns, one of each timeline on the way
to the first: the table ``reached``. Facts, and that something was forgotten, are ``notes``; they
lie in the same spans. Saves and loads take a moment of their own, so that nothing noted before one
has the moment of what was noted after it.

Every function runs inside a transaction, on the thread of its connection.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["FACTS", "REMEMBERED", "changed_npcs", "reach", "spans_before_load", "sweep"]

Span = tuple[int, int]
"""The moments after the first, up to and with the second."""

BEGINNING: Final = -1
"""The moment after which the first timeline begins."""
FOREVER: Final = 2**62
"""A moment that never comes."""

_PATHS: Final = f"""
WITH RECURSIVE path (root, timeline, after, until) AS (
    SELECT NULL, id, after, {FOREVER} FROM timelines WHERE id = :now
    UNION ALL
    SELECT name, timeline, timelines.after, moment
        FROM saves JOIN timelines ON timelines.id = timeline WHERE :saves
    UNION ALL
    SELECT root, parent.id, parent.after, child.until
        FROM path JOIN timelines AS child ON child.id = path.timeline
        JOIN timelines AS parent ON parent.id = child.parent
)
SELECT root, after, until FROM path
"""  # noqa: S608
"""The spans of the timeline ``:now``, and, if ``:saves``, those of every save."""

REMEMBERED: Final = """
EXISTS (SELECT 1 FROM reached WHERE turns.id > after AND turns.id <= until)
AND NOT EXISTS (
    SELECT 1 FROM notes JOIN reached ON moment > after AND moment <= until
    WHERE notes.npc IN (turns.npc, '') AND notes.name IS NULL
        AND turns.id <= moment AND turns.game_time_s > notes.game_time_s
)
"""
"""Condition on a row of ``turns``; needs ``reach``."""

FACTS: Final = """
npc IN (SELECT value FROM json_each(?) UNION SELECT '')
AND EXISTS (SELECT 1 FROM reached WHERE moment > after AND moment <= until)
ORDER BY id
"""
"""Condition on the rows of ``notes`` that make up the facts of NPCs, in order; needs ``reach``."""

_FREED: Final = """
game_time_s > :game_time_s AND NOT EXISTS (
    SELECT 1 FROM held WHERE {moment} > held.after AND {moment} <= held.until AND NOT EXISTS (
        SELECT 1 FROM held AS same
        WHERE same.root IS held.root AND :moment > same.after AND :moment <= same.until
    )
)
"""
"""Condition on what a note says was forgotten: whoever reaches it reaches the note too."""


def reach(connection: sqlite3.Connection) -> None:
    """Bring the table ``reached`` up to date: the spans of what is remembered now."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS reached (after INTEGER, until INTEGER)")
    connection.execute("DELETE FROM reached")
    connection.executemany(
        "INSERT INTO reached VALUES (?, ?)", _spans(connection, _now(connection))
    )


def spans_before_load(connection: sqlite3.Connection) -> list[Span]:
    """Return the spans of what was remembered until the latest load."""
    now = _now(connection)
    (end,) = connection.execute("SELECT after FROM timelines WHERE id = ?", (now,)).fetchone()
    return [(after, min(until, end)) for after, until in _spans(connection, now - 1)]


def changed_npcs(connection: sqlite3.Connection, before: Iterable[Span]) -> set[str] | None:
    """Find the NPCs who remember something else than they did in the spans ``before``.

    Returns:
        Their ids; None = perhaps everybody.
    """
    now = _spans(connection, _now(connection))
    changed: set[str] = set()
    for after, until in _differences(before, now):
        for sql in (
            "SELECT DISTINCT npc FROM turns WHERE id > ? AND id <= ?",
            "SELECT DISTINCT npc FROM notes WHERE moment > ? AND moment <= ?",
        ):
            changed |= {npc for (npc,) in connection.execute(sql, (after, until))}
    return None if "" in changed else changed


def sweep(connection: sqlite3.Connection, limit: int) -> bool:
    """Delete up to about ``limit`` turns and notes that neither now nor any save reaches.

    Returns:
        Whether there may be more.
    """
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS held (root, after INTEGER, until INTEGER)")
    connection.execute("DELETE FROM held")
    paths = connection.execute(_PATHS, {"now": _now(connection), "saves": True}).fetchall()
    connection.executemany("INSERT INTO held VALUES (?, ?, ?)", paths)
    left = limit
    for gap in _differences([(BEGINNING, FOREVER)], [(after, until) for _, after, until in paths]):
        for table, moment in (("turns", "id"), ("notes", "moment")):
            where = f"{moment} > ? AND {moment} <= ?"
            left -= _delete(connection, table, where, gap, left)
    forgets = "SELECT id, npc, moment, game_time_s FROM notes WHERE name IS NULL"
    for note, npc, moment, game_time_s in connection.execute(forgets).fetchall():
        left -= _erase(connection, note, npc, moment, game_time_s, left)
    return left <= 0


def _erase(
    connection: sqlite3.Connection, note: int, npc: str, moment: int, game_time_s: float, limit: int
) -> int:
    """Delete what a note says was forgotten and no save holds; and the note, if that was all."""
    of = {"npc": npc, "moment": moment, "game_time_s": game_time_s, "note": note}
    whose = "npc = :npc AND" if npc else ""
    turns, facts = f"{whose} id <= :moment", f"{whose} name IS NOT NULL AND id < :note"
    freed = f"{turns} AND {_FREED.format(moment='turns.id')}"
    deleted = _delete(connection, "turns", freed, of, limit)
    freed = f"{facts} AND {_FREED.format(moment='notes.moment')}"
    deleted += _delete(connection, "notes", freed, of, limit - deleted)
    left = f"""
    SELECT EXISTS (SELECT 1 FROM turns WHERE {turns} AND game_time_s > :game_time_s)
        OR EXISTS (SELECT 1 FROM notes WHERE {facts} AND game_time_s > :game_time_s)
    """  # noqa: S608
    if connection.execute(left, of).fetchone() == (0,):
        connection.execute("DELETE FROM notes WHERE id = ?", (note,))
    return deleted


def _delete(
    connection: sqlite3.Connection, table: str, where: str, parameters: Any, limit: int
) -> int:
    sql = f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {where} LIMIT {limit})"  # noqa: S608
    return connection.execute(sql, parameters).rowcount if limit > 0 else 0


def _now(connection: sqlite3.Connection) -> int:
    (now,) = connection.execute("SELECT max(id) FROM timelines").fetchone()
    return int(now)


def _spans(connection: sqlite3.Connection, timeline: int) -> list[Span]:
    paths = connection.execute(_PATHS, {"now": timeline, "saves": False})
    return [(after, until) for _, after, until in paths]


def _differences(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return the spans of the moments that lie in spans of one kind only, in order."""
    inside = [_edges(some), _edges(others)]
    moments = sorted({edge for edges in inside for edge in edges})
    depths, found = [0, 0], list[Span]()
    since: int | None = None
    for moment in moments:
        depths = [d + edges.get(moment, 0) for d, edges in zip(depths, inside, strict=True)]
        differs = (depths[0] > 0) != (depths[1] > 0)
        if since is not None and not differs:
            found.append((since, moment))
            since = None
        elif since is None and differs:
            since = moment
    return found


def _edges(spans: Iterable[Span]) -> dict[int, int]:
    """Map moments to how many spans begin there, less those that end."""
    edges: dict[int, int] = {}
    for after, until in spans:
        if after < until:
            edges[after] = edges.get(after, 0) + 1
            edges[until] = edges.get(until, 0) - 1
    return edges
