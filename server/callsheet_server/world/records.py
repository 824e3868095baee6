"""Validation of a tick's records: the rules of docs/wire-protocol.md, vectorised."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from callsheet.wire.fields import MAX_COORDINATE_M
from callsheet.wire.tick import NpcFlag

__all__ = ["all_usable_npcs", "usable_npcs", "usable_players"]

ALL_FLAGS: Final = int(NpcFlag.UNAVAILABLE | NpcFlag.CLEAR_SCHEDULE)


def usable_npcs(records: NDArray[Any]) -> NDArray[np.bool_]:
    """(K,) of ``NPC_DTYPE`` -> (K,) bool."""
    good = _in_range(records) & _no_bad_hint(records["next_call_s"])
    good &= records["flags"] <= ALL_FLAGS
    return good


def all_usable_npcs(records: NDArray[Any]) -> bool:
    """``usable_npcs(records).all()``, but ten times as fast: nearly every tick is all right."""
    return bool(
        np.abs(_vectors(records)).max(initial=0.0) <= MAX_COORDINATE_M
        and records["flags"].max(initial=0) <= ALL_FLAGS
        and np.fmin.reduce(records["next_call_s"], initial=0.0) >= 0.0
        and np.fmax.reduce(records["next_call_s"], initial=0.0) < np.inf
    )


def usable_players(records: NDArray[Any]) -> NDArray[np.bool_]:
    """(P,) of ``PLAYER_DTYPE`` -> (P,) bool."""
    good = _in_range(records)
    good &= records["flags"] == 0
    return good


def _vectors(records: NDArray[Any]) -> NDArray[np.float32]:
    """(K,) records -> (K, 6): position and velocity, which follow on the handle in both kinds."""
    words = records.view("<f4").reshape(len(records), records.dtype.itemsize // 4)
    return words[:, 1:7]


def _in_range(records: NDArray[Any]) -> NDArray[np.bool_]:
    """(K,) records -> (K,): position and velocity are within bounds. NaN compares false."""
    within: NDArray[np.bool_] = np.abs(_vectors(records)) <= MAX_COORDINATE_M
    inside: NDArray[np.bool_] = np.logical_and.reduce(within, axis=1)
    return inside


def _no_bad_hint(next_call_s: NDArray[np.float32]) -> NDArray[np.bool_]:
    """NaN says nothing; anything else is a time from now."""
    return ~((next_call_s < 0) | np.isinf(next_call_s))
