"""Arrays that a game gives, checked and put together: where everybody is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.fields import MAX_GAME_TIME_S
from callsheet.wire.tick import npc_records, player_records

__all__ = ["WorldState", "world_state"]


@dataclass(frozen=True, slots=True, eq=False)
class WorldState:
    """Everything that a game simulates.

    ``npcs`` is (N,) of ``NPC_DTYPE`` and ``players`` (P,) of ``PLAYER_DTYPE``, both sorted by
    handle.
    """

    game_time_s: float
    npcs: NDArray[Any]
    players: NDArray[Any]


def world_state(
    game_time_s: float,
    handles: ArrayLike,
    positions_m: ArrayLike,
    velocities_mps: ArrayLike | None = None,
    next_call_s: ArrayLike | None = None,
    flags: ArrayLike | None = None,
    *,
    player_handles: ArrayLike = (),
    player_positions_m: ArrayLike = (),
    player_velocities_mps: ArrayLike | None = None,
) -> WorldState:
    """Check a state and put it together.

    Args:
        game_time_s: may stand still, jump ahead and go back.
        handles: (N,) uint32, no handle twice.
        positions_m: (N, 3).
        velocities_mps: (N, 3); None = standing still.
        next_call_s: (N,) seconds to the next scheduled call, NaN = says nothing.
        flags: (N,) of ``NpcFlag``.
        player_handles: (P,) uint32.
        player_positions_m: (P, 3).
        player_velocities_mps: (P, 3); None = standing still.

    Raises:
        ProtocolError: ``bad_tick``: an array has another shape or holds no numbers, or a handle
            is there twice, or the game time is not 0 to 1e12.
    """
    if not 0 <= game_time_s <= MAX_GAME_TIME_S:
        message = f"game_time_s must be 0 to {MAX_GAME_TIME_S:g}, not {game_time_s}"
        raise _bad_tick("game_time_s", message, str(game_time_s))
    of_npc = _array("handles", handles, np.uint32)
    npcs = npc_records(
        of_npc,
        _array("positions_m", positions_m, np.float32, len(of_npc), 3),
        _given("velocities_mps", velocities_mps, np.float32, len(of_npc), 3),
        _given("next_call_s", next_call_s, np.float32, len(of_npc)),
        _given("flags", flags, np.uint32, len(of_npc)),
    )
    of_player = _array("player_handles", player_handles, np.uint32)
    players = player_records(
        of_player,
        _array("player_positions_m", player_positions_m, np.float32, len(of_player), 3),
        _given("player_velocities_mps", player_velocities_mps, np.float32, len(of_player), 3),
    )
    return WorldState(float(game_time_s), _sorted(npcs), _sorted(players))


def _given(
    field: str, values: ArrayLike | None, dtype: DTypeLike, *shape: int
) -> NDArray[Any] | None:
    return None if values is None else _array(field, values, dtype, *shape)


def _array(field: str, values: ArrayLike, dtype: DTypeLike, *shape: int) -> NDArray[Any]:
    """Values of this shape; without one, a list of any length. No values fit every empty shape."""
    try:
        array = np.asarray(values, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise _bad_tick(field, f"{field} cannot be an array of numbers: {error}") from None
    if array.size == 0 and 0 in shape:
        return array.reshape(shape)
    if array.shape != (shape or (array.size,)):
        wanted = "x, y and z for each handle" if shape[1:] else "one number each"
        raise _bad_tick(
            field,
            f"{field} has shape {array.shape}; it must be {shape or '(N,)'}: {wanted}",
            str(array.shape),
        )
    return array


def _bad_tick(field: str, message: str, value: str | None = None) -> CallsheetError:
    return error_for(ErrorCode.BAD_TICK, message, field=field, value=value)


def _sorted(records: NDArray[Any]) -> NDArray[Any]:
    handles = records["handle"]
    steps = np.diff(handles.astype(np.int64))
    if np.all(steps > 0):
        return records
    ordered = records[np.argsort(handles, kind="stable")]
    twice = ordered["handle"][1:][np.diff(ordered["handle"]) == 0]
    if len(twice):
        handle = str(twice[0])
        raise _bad_tick("handles", f"handle {handle} is named twice in one tick", handle)
    return ordered
