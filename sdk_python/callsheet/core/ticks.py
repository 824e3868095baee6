"""Full state in, keyframe or delta out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.tick import (
    NPC_DTYPE,
    PLAYER_DTYPE,
    NpcFlag,
    Tick,
    TickKind,
    encode_tick,
    npc_records,
    player_records,
)

__all__ = ["TickEncoder"]

KEYFRAME_SHARE = 0.5
"""A delta naming more than this share of the NPCs is sent as a keyframe."""
NPC_WORDS = NPC_DTYPE.itemsize // 4


class TickEncoder:
    """Remembers the state as last sent; works out what changed.

    The state is kept sorted by handle, without what is meant for one tick only (``next_call_s``
    and ``CLEAR_SCHEDULE``).
    """

    def __init__(self) -> None:
        self.next_tick: int = 0
        self.has_state: bool = False
        self._game_time_s = 0.0
        self._npcs: NDArray[Any] = np.zeros(0, NPC_DTYPE)
        self._players: NDArray[Any] = np.zeros(0, PLAYER_DTYPE)

    def forget(self) -> None:
        """Drop the state: its handles mean nothing in a new session. Ticks go on counting."""
        self.has_state = False
        self._npcs, self._players = np.zeros(0, NPC_DTYPE), np.zeros(0, PLAYER_DTYPE)

    def state(
        self,
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
        keyframe: bool = False,
        ack: bool = False,
    ) -> bytes:
        """Encode the state of everything the game simulates now.

        Args:
            game_time_s: must not decrease.
            handles: (N,) uint32, no handle twice.
            positions_m: (N, 3).
            velocities_mps: (N, 3); None = standing still.
            next_call_s: (N,) seconds to the next scheduled call, NaN = says nothing.
            flags: (N,) of ``NpcFlag``.
            player_handles: (P,) uint32.
            player_positions_m: (P, 3).
            player_velocities_mps: (P, 3); None = standing still.
            keyframe: send a keyframe even if little changed.
            ack: ask for ``tick_ack``.

        Returns:
            A binary tick: a delta if the same NPCs and players as before are named and at most
            half of the NPCs changed, else a keyframe.

        Raises:
            ProtocolError: ``bad_tick``: an array has another shape or holds no numbers, or a handle
                is there twice. Nothing has changed.
        """
        of_npc = _array("handles", handles, np.uint32)
        npcs = _sorted(
            npc_records(
                of_npc,
                _array("positions_m", positions_m, np.float32, len(of_npc), 3),
                _given("velocities_mps", velocities_mps, np.float32, len(of_npc), 3),
                _given("next_call_s", next_call_s, np.float32, len(of_npc)),
                _given("flags", flags, np.uint32, len(of_npc)),
            )
        )
        of_player = _array("player_handles", player_handles, np.uint32)
        players = _sorted(
            player_records(
                of_player,
                _array("player_positions_m", player_positions_m, np.float32, len(of_player), 3),
                _given(
                    "player_velocities_mps", player_velocities_mps, np.float32, len(of_player), 3
                ),
            )
        )
        lasting = _lasting(npcs)
        same = np.array_equal(npcs["handle"], self._npcs["handle"]) and np.array_equal(
            players["handle"], self._players["handle"]
        )
        kind, sent = TickKind.KEYFRAME, npcs
        if same and not keyframe:
            changed = _changed(npcs, lasting, self._npcs)
            if np.count_nonzero(changed) <= KEYFRAME_SHARE * len(npcs):
                kind, sent = TickKind.DELTA, npcs[changed]
        self._npcs, self._players, self._game_time_s = lasting, players, float(game_time_s)
        self.has_state = True
        return self._encode(kind, sent, ack)

    def keyframe(self, *, ack: bool = False) -> bytes:
        """Encode the state as last given, whole: the first tick after a resume."""
        return self._encode(TickKind.KEYFRAME, self._npcs, ack)

    def _encode(self, kind: TickKind, npcs: NDArray[Any], ack: bool) -> bytes:
        tick = Tick(kind, self.next_tick, self._game_time_s, ack, npcs, self._players)
        self.next_tick += 1
        return encode_tick(tick)


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


def _lasting(npcs: NDArray[Any]) -> NDArray[Any]:
    lasting = npcs.copy()
    lasting["next_call_s"] = np.nan
    lasting["flags"] &= np.uint32(NpcFlag.UNAVAILABLE)
    return lasting


def _changed(npcs: NDArray[Any], lasting: NDArray[Any], before: NDArray[Any]) -> NDArray[np.bool_]:
    """(N,) which NPCs differ from before, bit by bit, or carry something for this tick only."""
    words, before_words = (r.view("<u4").reshape(-1, NPC_WORDS) for r in (lasting, before))
    once = ~np.isnan(npcs["next_call_s"]) | (npcs["flags"] != lasting["flags"])
    changed: NDArray[np.bool_] = (words != before_words).any(axis=1) | once
    return changed
