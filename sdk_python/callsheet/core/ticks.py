"""Full state in, keyframe or delta out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from callsheet.core.world_state import WorldState
from callsheet.wire.tick import NPC_DTYPE, NpcFlag, Tick, TickKind, encode_tick

__all__ = ["REWINDS_SINCE_MINOR", "TickEncoder"]

KEYFRAME_SHARE = 0.5
"""A delta naming more than this share of the NPCs is sent as a keyframe."""
NPC_WORDS = NPC_DTYPE.itemsize // 4
REWINDS_SINCE_MINOR: Final = 3
"""Minor version of the protocol whose keyframes may say an earlier game time than before."""


class TickEncoder:
    """Remembers the state as last given; works out what changed.

    Game time that goes back is told with a keyframe. For a server before protocol 1.3 it
    stands still instead, until it is later again.
    """

    def __init__(self) -> None:
        self.next_tick: int = 0
        self.can_rewind: bool = False
        """Whether keyframes say that game time may be earlier than before."""
        self._state: WorldState | None = None
        """Without what is meant for one tick only: ``next_call_s`` and ``CLEAR_SCHEDULE``."""

    @property
    def has_state(self) -> bool:
        """Whether ``keyframe`` has something to encode."""
        return self._state is not None

    def forget(self) -> None:
        """Drop the state: it is of another session or of a world that was left.

        Ticks go on counting.
        """
        self._state = None

    def encode(self, state: WorldState, *, keyframe: bool = False, ack: bool = False) -> bytes:
        """Encode the state of everything the game simulates now.

        Args:
            state: of everybody.
            keyframe: send a keyframe even if little changed.
            ack: ask for ``tick_ack``.

        Returns:
            A binary tick: a delta if the same NPCs and players as before are named, at most half of
            the NPCs changed and game time did not go back, else a keyframe.
        """
        before = self._state
        if before is not None and state.game_time_s < before.game_time_s:
            keyframe = True
            if not self.can_rewind:
                state = replace(state, game_time_s=before.game_time_s)
        lasting = _lasting(state.npcs)
        self._state = replace(state, npcs=lasting)
        if before is not None and not keyframe and _names_same(state, before):
            changed = _changed(state.npcs, lasting, before.npcs)
            if np.count_nonzero(changed) <= KEYFRAME_SHARE * len(state.npcs):
                return self._encode(TickKind.DELTA, replace(state, npcs=state.npcs[changed]), ack)
        return self._encode(TickKind.KEYFRAME, state, ack)

    def keyframe(self) -> bytes:
        """Encode the state as last given, whole: what the server may have missed."""
        assert self._state is not None, "there is no state; see has_state"
        return self._encode(TickKind.KEYFRAME, self._state, ack=False)

    def _encode(self, kind: TickKind, state: WorldState, ack: bool) -> bytes:
        rewind = self.can_rewind and kind is TickKind.KEYFRAME
        number = self.next_tick
        self.next_tick += 1
        return encode_tick(
            Tick(kind, number, state.game_time_s, ack, state.npcs, state.players, rewind)
        )


def _names_same(state: WorldState, before: WorldState) -> bool:
    return np.array_equal(state.npcs["handle"], before.npcs["handle"]) and np.array_equal(
        state.players["handle"], before.players["handle"]
    )


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
