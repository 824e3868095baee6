"""Ticks as binary frames (docs/wire-protocol.md, "Binary ticks").

A frame is a 32-byte header, then ``npc_count`` NPC records, then ``player_count`` player records,
all little-endian. Decoding is a view of the received bytes: no copy, no loop over NPCs.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.fields import MAX_GAME_TIME_S
from callsheet.wire.world import JsonTick

__all__ = [
    "HEADER_DTYPE",
    "NPC_DTYPE",
    "PLAYER_DTYPE",
    "NpcFlag",
    "Tick",
    "TickFlag",
    "TickKind",
    "decode_tick",
    "encode_tick",
    "npc_records",
    "player_records",
    "tick_from_json",
]

MAGIC = b"CS"
VERSION = 1
DELTA_REWINDS = "only a keyframe may rewind"

HEADER_DTYPE = np.dtype(
    [
        ("magic", "S2"),
        ("version", "u1"),
        ("kind", "u1"),
        ("flags", "<u2"),
        ("reserved", "<u2"),
        ("tick", "<u4"),
        ("npc_count", "<u4"),
        ("game_time_s", "<f8"),
        ("player_count", "<u4"),
        ("reserved2", "<u4"),
    ]
)
_HEADER = struct.Struct("<2sBBHHIIdII")
"""``HEADER_DTYPE`` for one header: ten times as fast as an array of one."""
NPC_DTYPE = np.dtype(
    [
        ("handle", "<u4"),
        ("position", "<f4", (3,)),
        ("velocity", "<f4", (3,)),
        ("next_call_s", "<f4"),
        ("flags", "<u4"),
    ]
)
PLAYER_DTYPE = np.dtype(
    [
        ("handle", "<u4"),
        ("position", "<f4", (3,)),
        ("velocity", "<f4", (3,)),
        ("flags", "<u4"),
    ]
)


class TickKind(IntEnum):
    """Kinds of tick, by the NPCs and players they name."""

    KEYFRAME = 1
    """Names every NPC the game simulates now; those left out are inactive until named again."""
    DELTA = 2
    """Names the NPCs that changed."""


class TickFlag(IntFlag):
    """Flags of a whole tick."""

    ACK = 1
    """Answer with ``tick_ack`` once the tick went through the pipeline."""
    REWIND = 2
    """Game time may be earlier than before; keyframes only."""


_ACK, _REWIND = int(TickFlag.ACK), int(TickFlag.REWIND)
_ALL_FLAGS = _ACK | _REWIND


class NpcFlag(IntFlag):
    """Flags of one NPC record."""

    UNAVAILABLE = 1
    """The NPC cannot talk now (asleep, dead, in a cutscene): no estimator expects a call."""
    CLEAR_SCHEDULE = 2
    """Forget the hinted call."""


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """One decoded tick.

    ``npcs`` is (N,) of ``NPC_DTYPE`` and ``players`` (P,) of ``PLAYER_DTYPE``; both may be
    read-only views of the frame. Values inside records are as sent: unknown handles and non-finite
    numbers are for the world to judge.
    """

    kind: TickKind
    tick: int
    game_time_s: float
    ack: bool
    npcs: NDArray[Any]
    players: NDArray[Any]
    rewind: bool = False
    """Game time may be earlier than before."""


def _bad(
    message: str, field: str, value: object = None, limit: float | None = None
) -> CallsheetError:
    shown = None if value is None else str(value)
    return error_for(ErrorCode.BAD_TICK, message, field=field, value=shown, limit=limit)


def decode_tick(frame: bytes) -> Tick:
    """Read a binary tick.

    Raises:
        ProtocolError: ``bad_tick``, naming the header field that is wrong.
    """
    if len(frame) < _HEADER.size:
        raise _bad(
            f"a tick has a header of {_HEADER.size} bytes, this frame has {len(frame)}",
            "header",
            len(frame),
            _HEADER.size,
        )
    header = _HEADER.unpack_from(frame)
    magic, version, kind_number, flags, reserved = header[:5]
    tick, npc_count, game_time_s, player_count, reserved2 = header[5:]
    if magic != MAGIC:
        raise _bad(f"a tick begins with the bytes 43 53, not {magic.hex(' ')}", "magic")
    if version != VERSION:
        raise _bad(f"tick version {version} is not supported; send 1", "version")
    try:
        kind = TickKind(kind_number)
    except ValueError:
        raise _bad("kind must be 1 (keyframe) or 2 (delta)", "kind", kind_number) from None
    if flags & ~_ALL_FLAGS:
        raise _bad("flags other than 1 (ack) and 2 (rewind) must be 0", "flags", flags)
    if flags & _REWIND and kind is not TickKind.KEYFRAME:
        raise _bad(DELTA_REWINDS, "flags", flags)
    if reserved or reserved2:
        raise _bad("reserved bytes must be 0", "reserved" if reserved else "reserved2")
    if not 0 <= game_time_s <= MAX_GAME_TIME_S:
        raise _bad(
            f"game_time_s must be finite, 0 to {MAX_GAME_TIME_S:g}",
            "game_time_s",
            game_time_s,
            MAX_GAME_TIME_S,
        )
    players_at = _HEADER.size + npc_count * NPC_DTYPE.itemsize
    size = players_at + player_count * PLAYER_DTYPE.itemsize
    if size != len(frame):
        raise _bad(
            f"{npc_count} NPC and {player_count} player records make {size} bytes, "
            f"this frame has {len(frame)}",
            "npc_count",
            len(frame),
            size,
        )
    return Tick(
        kind,
        tick,
        game_time_s,
        bool(flags & _ACK),
        np.frombuffer(frame, NPC_DTYPE, npc_count, _HEADER.size),
        np.frombuffer(frame, PLAYER_DTYPE, player_count, players_at),
        bool(flags & _REWIND),
    )


def encode_tick(tick: Tick) -> bytes:
    """Write a tick as one binary frame.

    Raises:
        ValueError: the records are not of ``NPC_DTYPE`` and ``PLAYER_DTYPE``.
    """
    if tick.npcs.dtype != NPC_DTYPE or tick.players.dtype != PLAYER_DTYPE:
        raise ValueError("make the records with npc_records() and player_records()")
    header = np.zeros(1, HEADER_DTYPE)
    header["magic"] = MAGIC
    header["version"] = VERSION
    header["kind"] = tick.kind
    header["flags"] = (TickFlag.ACK if tick.ack else 0) | (TickFlag.REWIND if tick.rewind else 0)
    header["tick"] = tick.tick
    header["npc_count"] = len(tick.npcs)
    header["game_time_s"] = tick.game_time_s
    header["player_count"] = len(tick.players)
    return b"".join((header.tobytes(), tick.npcs.tobytes(), tick.players.tobytes()))


def npc_records(
    handle: ArrayLike,
    position_m: ArrayLike,
    velocity_mps: ArrayLike | None = None,
    next_call_s: ArrayLike | None = None,
    flags: ArrayLike | None = None,
) -> NDArray[Any]:
    """Pack arrays into NPC records.

    Args:
        handle: (N,) uint32.
        position_m: (N, 3).
        velocity_mps: (N, 3); None = standing still.
        next_call_s: (N,) seconds to the next scheduled call; NaN = says nothing. None = all NaN.
        flags: (N,) of ``NpcFlag``; None = 0.

    Returns:
        (N,) of ``NPC_DTYPE``.
    """
    handles = np.asarray(handle, np.uint32)
    records = np.zeros(len(handles), NPC_DTYPE)
    records["handle"] = handles
    records["position"] = _vectors(position_m, len(handles))
    if velocity_mps is not None:
        records["velocity"] = _vectors(velocity_mps, len(handles))
    records["next_call_s"] = np.nan if next_call_s is None else next_call_s
    if flags is not None:
        records["flags"] = flags
    return records


def player_records(
    handle: ArrayLike, position_m: ArrayLike, velocity_mps: ArrayLike | None = None
) -> NDArray[Any]:
    """Pack arrays into player records: (P,) handles, (P, 3) positions, (P, 3) velocities."""
    handles = np.asarray(handle, np.uint32)
    records = np.zeros(len(handles), PLAYER_DTYPE)
    records["handle"] = handles
    records["position"] = _vectors(position_m, len(handles))
    if velocity_mps is not None:
        records["velocity"] = _vectors(velocity_mps, len(handles))
    return records


def _vectors(values: ArrayLike, count: int) -> NDArray[np.float32]:
    return np.asarray(values, np.float32).reshape(count, 3)


def tick_from_json(message: JsonTick) -> Tick:
    """The same tick as a binary frame would have carried.

    Raises:
        ProtocolError: ``bad_tick``: a delta rewinds.
    """
    if message.rewind and message.kind == "delta":
        raise _bad(DELTA_REWINDS, "rewind", "true")
    npcs, players = message.npcs, message.players
    return Tick(
        TickKind[message.kind.upper()],
        message.tick,
        message.game_time_s,
        message.ack,
        npc_records(
            [n.handle for n in npcs],
            [n.position for n in npcs],
            [n.velocity for n in npcs],
            [math.nan if n.next_call_s is None else n.next_call_s for n in npcs],
            [n.flags for n in npcs],
        ),
        player_records(
            [p.handle for p in players],
            [p.position for p in players],
            [p.velocity for p in players],
        ),
        bool(message.rewind),
    )
