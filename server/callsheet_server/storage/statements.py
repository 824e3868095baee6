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
    ForgetAnswers,
    ForgetNpc,
    OpenRequest,
    PutAnswer,
    PutFact,
    PutNpc,
    PutPlayer,
    PutSession,
    PutWorld,
    RemovePlayer,
    Write,
)

__all__ = ["Statement", "checksum", "quarantine", "statements_of"]

Statement = tuple[str, tuple[Any, ...]]
"""SQL and its parameters."""

_ROW_MASK: Final = 2**20 - 1
"""A handle names a row, see ``world.columns``."""


def checksum(*values: Any) -> int:
    """CRC-32 of column values; bytes count as their hexadecimal digits."""
    plain = [value.hex() if isinstance(value, bytes) else value for value in values]
    return zlib.crc32(orjson.dumps(plain))


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
        case ForgetNpc(npc):
            return (
                ("DELETE FROM turns WHERE npc = ?", (npc,)),
                ("DELETE FROM facts WHERE npc = ?", (npc,)),
            )
        case PutPlayer(spec, handle):
            json = spec.model_dump_json(exclude_none=True)
            return (_put("players", player=spec.player, handle=handle, spec=json),)
        case RemovePlayer(player):
            return (("DELETE FROM players WHERE player = ?", (player,)),)
        case AddTurn(npc, speaker, text, game_time_s):
            time_s = float(game_time_s)
            return (_put("turns", npc=npc, speaker=speaker, text=text, game_time_s=time_s),)
        case PutFact(npc, name, None):
            return (("DELETE FROM facts WHERE npc = ? AND name = ?", (npc, name)),)
        case PutFact(npc, name, value):
            return (_put("facts", npc=npc, name=name, value=orjson.dumps(value).decode()),)
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
    return sql, (*values.values(), checksum(*values.values()))
