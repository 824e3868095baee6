"""The SQL of every write."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any, Final, assert_never

import orjson

from callsheet_server.storage.writes import (
    AddTurn,
    CloseRequest,
    CloseRequests,
    EmptyWorld,
    EndSession,
    Forget,
    ForgetAnswers,
    LoadSave,
    MakeSave,
    OpenRequest,
    PutAnswer,
    PutFact,
    PutNpc,
    PutPlayer,
    PutRow,
    PutSession,
    PutWorld,
    RemovePlayer,
    RemoveSave,
    Write,
)

__all__ = ["Statement", "checksum", "checksum_of_columns", "quarantine", "statements_of"]

Statement = tuple[str, tuple[Any, ...]]
"""SQL and its parameters."""

_NOTE: Final = """
INSERT INTO notes (moment, npc, name, value, game_time_s, crc)
    SELECT seq, ?1, ?2, ?3, ?4, checksum(seq, ?1, ?2, ?3, ?4)
    FROM sqlite_sequence WHERE sqlite_sequence.name = 'turns'
"""
_REPLACED: Final = """
DELETE FROM notes WHERE npc = ? AND name = ? AND moment > (SELECT max(after) FROM timelines)
    AND moment > coalesce((SELECT max(moment) FROM saves
        WHERE timeline = (SELECT max(id) FROM timelines)), -1)
"""
"""Values of a fact that no save holds."""
_SAVE: Final = """
INSERT OR REPLACE INTO saves (name, timeline, moment, time_s, saved_at, state, crc)
    SELECT ?1, id, seq, ?2, ?3, state, checksum(?1, id, seq, ?2, ?3, state)
    FROM (SELECT max(id) AS id FROM timelines), sqlite_sequence, (
        SELECT json_object('hints', json(?4), 'schedules',
            json_group_object(npc, json(json_extract(spec, '$.schedule')))) AS state
        FROM npcs WHERE alive AND json_valid(spec)
    )
    WHERE sqlite_sequence.name = 'turns'
"""
_FORK: Final = """
INSERT INTO timelines (parent, until, after, crc)
    SELECT timeline, moment, seq, checksum(timeline, moment, seq)
    FROM saves, sqlite_sequence WHERE saves.name = ? AND sqlite_sequence.name = 'turns'
"""
_NEXT_MOMENT: Final = ("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'turns'", ())
_ROW_MASK: Final = 2**20 - 1
"""A handle names a row, see ``world.columns``."""


def checksum(*values: Any) -> int:
    """CRC-32 of column values; bytes count as their hexadecimal digits."""
    plain = [value.hex() if isinstance(value, bytes) else value for value in values]
    return zlib.crc32(orjson.dumps(plain))


def checksum_of_columns(*values: Any) -> int:
    """Return ``checksum`` for SQL: texts may come as BLOBs, so that damaged ones can be read."""
    texts = (v.decode("utf-8", "backslashreplace") if isinstance(v, bytes) else v for v in values)
    return checksum(*texts)


def statements_of(write: Write) -> tuple[Statement, ...]:
    """Return the statements that carry a write out, in order."""
    match write:
        case PutWorld(name, value):
            return (_put("world", name=name, value=orjson.dumps(value).decode()),)
        case EmptyWorld():
            return ("DELETE FROM npcs", ()), ("DELETE FROM players", ()), ("DELETE FROM world", ())
        case PutNpc(spec, handle, hint_s, alive):
            # A row holds its last NPC.
            return (
                _put(
                    "npcs",
                    row=handle & _ROW_MASK,
                    handle=handle,
                    npc=spec.npc,
                    alive=int(alive),
                    spec=spec.model_dump_json(exclude_none=True),
                    hint_s=hint_s,
                ),
            )
        case Forget(npc, after_s):
            return ((_NOTE, (npc or "", None, None, -1.0 if after_s is None else float(after_s))),)
        case PutPlayer(spec, handle):
            json = spec.model_dump_json(exclude_none=True)
            return (_put("players", player=spec.player, handle=handle, spec=json),)
        case RemovePlayer(player):
            return (("DELETE FROM players WHERE player = ?", (player,)),)
        case AddTurn(npc, speaker, text, game_time_s):
            time_s = float(game_time_s)
            return (_put("turns", npc=npc, speaker=speaker, text=text, game_time_s=time_s),)
        case PutFact(npc, name, value, game_time_s):
            fact = None if value is None else orjson.dumps(value).decode()
            return (_REPLACED, (npc, name)), (_NOTE, (npc, name, fact, float(game_time_s)))
        case MakeSave(name, time_s, saved_at, hints):
            announced = orjson.dumps(hints).decode()
            return (_SAVE, (name, float(time_s), float(saved_at), announced)), _NEXT_MOMENT
        case LoadSave(name):
            return (_FORK, (name,)), _NEXT_MOMENT
        case RemoveSave(name):
            return (("DELETE FROM saves WHERE name = ?", (name,)),)
        case PutRow(table, row):
            last = 1 + int(row.get("after", row.get("moment", -1)))
            sql = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'turns'"
            return _put(table, **row), (sql, (last,))
        case PutSession(session, tokens, last_request_id):
            values = {"session": session, "tokens": tokens, "last_request_id": last_request_id}
            return (_put("sessions", **values),)
        case EndSession(session):
            return (
                ("DELETE FROM sessions WHERE session = ?", (session,)),
                ("DELETE FROM open_requests WHERE session = ?", (session,)),
                ("DELETE FROM answers WHERE session = ?", (session,)),
            )
        case OpenRequest(session, request):
            return (("INSERT OR REPLACE INTO open_requests VALUES (?, ?)", (session, request)),)
        case CloseRequest(session, request):
            sql = "DELETE FROM open_requests WHERE session = ? AND request = ?"
            return ((sql, (session, request)),)
        case CloseRequests(session):
            return (("DELETE FROM open_requests WHERE session = ?", (session,)),)
        case PutAnswer(session, seq, frame):
            return (_put("answers", session=session, seq=seq, frame=frame),)
        case ForgetAnswers(session, up_to_seq):
            sql = "DELETE FROM answers WHERE session = ? AND seq <= ?"
            return ((sql, (session, up_to_seq)),)
        case _:
            assert_never(write)


def quarantine(table: str, rowid: int, content: Iterable[Any]) -> tuple[Statement, ...]:
    """Take a damaged row out of its table, and keep what is left of it."""
    text = orjson.dumps([v.hex() if isinstance(v, bytes) else v for v in content]).decode()
    return (
        ("INSERT INTO quarantine (source, content) VALUES (?, ?)", (table, text)),
        (f"DELETE FROM {table} WHERE rowid = ?", (rowid,)),  # noqa: S608
    )


def _put(table: str, **values: Any) -> Statement:
    columns = ", ".join(values)
    marks = ", ".join("?" * (len(values) + 1))
    sql = f"INSERT OR REPLACE INTO {table} ({columns}, crc) VALUES ({marks})"  # noqa: S608
    said = [value for column, value in values.items() if column != "id"]
    return sql, (*values.values(), checksum(*said))
