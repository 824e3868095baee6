"""Inputs of the planner: items, memory budgets, and the cost of a move.

Depends on numpy and the standard library only.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.state import StateKind, Tier

__all__ = ["NOTHING", "Budget", "Credit", "Items", "cost"]


@dataclass(frozen=True, slots=True)
class Items:
    """M pieces of state of one store, as parallel arrays. Sizes may be in any one unit, bytes or
    tokens, if budgets and credits are in the same.
    """

    kind: StateKind
    keys: Sequence[Hashable]
    """M keys; only those of rows that move are read."""
    distance_s: NDArray[np.float32]
    """(M,) float32, >= 0, seconds to the next expected use; +inf = none. Never NaN."""
    size_bytes: NDArray[np.int64]
    """(M,) int64, >= 0."""
    tier: NDArray[np.int8]
    """(M,) int8, a ``Tier``."""
    pinned: NDArray[np.bool_]
    """(M,) bool: in use, being moved, or no item at all: not to be touched."""
    rebuild_s: NDArray[np.float32]
    """(M,) float32, >= 0, seconds to build it from nothing; +inf = cannot be, so never dropped."""
    backed_up: NDArray[np.bool_]
    """(M,) bool: on the device with a valid copy in host memory; evicting it there is free."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Amounts that may be moved now, per link; each link is spent separately."""

    load_bytes: int
    """Host to device."""
    evict_bytes: int
    """Device to host."""
    disk_bytes: int
    """Anything that reads or writes the disk."""
    rebuild_s: float
    """Seconds of the device's time for building absent state."""

    def __sub__(self, spent: Credit) -> Credit:
        return Credit(
            self.load_bytes - spent.load_bytes,
            self.evict_bytes - spent.evict_bytes,
            self.disk_bytes - spent.disk_bytes,
            self.rebuild_s - spent.rebuild_s,
        )

    def covers(self, cost: Credit) -> bool:
        """True if ``cost`` can be spent without falling below zero on any link."""
        return (
            cost.load_bytes <= self.load_bytes
            and cost.evict_bytes <= self.evict_bytes
            and cost.disk_bytes <= self.disk_bytes
            and cost.rebuild_s <= self.rebuild_s
        )


NOTHING = Credit(0, 0, 0, 0.0)
FILED = frozenset({StateKind.ADAPTER, StateKind.WEIGHTS})
"""Kinds that are read from files that stay: moving one down to disk writes nothing."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Room and credit a plan must keep within."""

    capacity_bytes: tuple[int, int, int]
    """Memory budgets of device, host and disk; 0 = the tier is not used."""
    used_bytes: tuple[int, int, int]
    """Taken there, room reserved for moves in flight included."""
    credit: Credit


def cost(items: Items, row: int, source: Tier, target: Tier) -> Credit:
    """Return what moving ``row`` from ``source`` to ``target`` takes from each link."""
    size = int(items.size_bytes[row])
    if source is Tier.ABSENT:
        return Credit(0, 0, 0, float(items.rebuild_s[row]))
    if target is Tier.ABSENT or (target is Tier.HOST and items.backed_up[row]):
        return NOTHING
    if target is Tier.DISK and items.kind in FILED:
        return NOTHING
    if Tier.DISK in (source, target):
        return Credit(0, 0, size, 0.0)
    return Credit(size, 0, 0, 0.0) if target is Tier.DEVICE else Credit(0, size, 0, 0.0)
