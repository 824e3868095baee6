"""Everything that is ever written into a world's database: one function per kind of change."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from callsheet.wire.world import NpcSpec, PlayerSpec

__all__ = [
    "Statement",
    "add_turn",
    "checksum",
    "close_request",
    "close_requests",
    "empty_world",
    "end_session",
    "forget_answers",
    "forget_npc",
    "open_request",
    "put_answer",
    "put_fact",
    "put_npc",
    "put_player",
    "put_session",
    "put_world",
    "quarantine",
    "remove_player",
]

Statement = tuple[str, tuple[Any, ...]]
"""SQL and its parameters."""

_ROW_MASK: Final = 2**20 - 1
"""A handle names a row, see ``world.columns``."""


def checksum(*values: Any) -> int:
    """CRC-32 of column values; bytes count as their hexadecimal digits."""
    plain = [value.hex() if isinstance(value, bytes) else value for value in values]
    return zlib.crc32(orjson.dumps(plain))


def put_world(name: str, value: Mapping[str, Any]) -> Statement:
    """``name`` is "config" or "counters"."""
    return _put("world", name=name, value=orjson.dumps(value).decode())


def put_npc(spec: NpcSpec, handle: int, hint_s: float | None, alive: bool = True) -> Statement:
    """Also after a change; ``hint_s`` is absolute game time. A row holds its last NPC."""
    return _put(
        "npcs",
        row=handle & _ROW_MASK,
        handle=handle,
        npc=spec.npc,
        alive=int(alive),
        spec=spec.model_dump_json(exclude_none=True),
        hint_s=hint_s,
    )


def put_player(spec: PlayerSpec, handle: int) -> Statement:
    return _put(
        "players",
        player=spec.player,
        handle=handle,
        spec=spec.model_dump_json(exclude_none=True),
    )


def remove_player(player: str) -> Statement:
    return "DELETE FROM players WHERE player = ?", (player,)


def forget_npc(npc: str) -> tuple[Statement, ...]:
    """All it remembers is gone for good."""
    return (
        ("DELETE FROM turns WHERE npc = ?", (npc,)),
        ("DELETE FROM facts WHERE npc = ?", (npc,)),
    )


def add_turn(npc: str, speaker: str | None, text: str, game_time_s: float) -> Statement:
    return _put("turns", npc=npc, speaker=speaker, text=text, game_time_s=float(game_time_s))


def put_fact(npc: str, name: str, value: Any) -> Statement:
    """None takes the fact away."""
    if value is None:
        return "DELETE FROM facts WHERE npc = ? AND name = ?", (npc, name)
    return _put("facts", npc=npc, name=name, value=orjson.dumps(value).decode())


def empty_world() -> tuple[Statement, ...]:
    """The game left: nobody lives there now. What the NPCs remember stays."""
    return (
        ("DELETE FROM npcs", ()),
        ("DELETE FROM players", ()),
        ("DELETE FROM world", ()),
    )


# --- sessions ------------------------------------------------------------------------------------


def put_session(session: str, tokens: bytes, last_request_id: int) -> Statement:
    """``tokens``: the hashes of what resumes it, one after the other."""
    return _put("sessions", session=session, tokens=tokens, last_request_id=last_request_id)


def end_session(session: str) -> tuple[Statement, ...]:
    return tuple(
        (f"DELETE FROM {table} WHERE session = ?", (session,))  # noqa: S608
        for table in ("sessions", "open_requests", "answers")
    )


def open_request(session: str, request: int) -> Statement:
    return "INSERT OR REPLACE INTO open_requests VALUES (?, ?)", (session, request)


def close_request(session: str, request: int) -> Statement:
    return "DELETE FROM open_requests WHERE session = ? AND request = ?", (session, request)


def close_requests(session: str) -> Statement:
    return "DELETE FROM open_requests WHERE session = ?", (session,)


def put_answer(session: str, seq: int, frame: bytes) -> Statement:
    return _put("answers", session=session, seq=seq, frame=frame)


def forget_answers(session: str, up_to_seq: int) -> Statement:
    return "DELETE FROM answers WHERE session = ? AND seq <= ?", (session, up_to_seq)


# --- damage --------------------------------------------------------------------------------------


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
