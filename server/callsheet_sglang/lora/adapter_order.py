"""Choice of the adapter that leaves its slot, and of the one to bring: pure decisions.

A slot holds any one adapter, so slots are a device of as many items of equal size, and the planner
that moves KV caches decides about them too. The base model takes part like an adapter, because
SGLang keeps a (zeroed) slot for it. Needs numpy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.actions import Load
from callsheet_residency.items import Budget, Credit, Items
from callsheet_residency.order import Order
from callsheet_residency.planner import plan
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, Tier

__all__ = ["AdapterRows", "next_load", "victim"]

ONE_LOAD = Credit(load_bytes=1, evict_bytes=0, disk_bytes=0, rebuild_s=0.0)
"""One adapter, the unit of this plan: a batch is held up by one copy at most."""


@dataclass(frozen=True, slots=True)
class AdapterRows:
    """The adapters SGLang has in host memory and the base model, as parallel columns.

    Of equally distant ones the upper row leaves first: rows are sorted by last use, oldest first.
    """

    ids: Sequence[str | None]
    """M LoRA ids; None = the base model."""
    distance_s: NDArray[np.float32]
    """(M,) float32, >= 0; +inf = no use expected."""
    in_slot: NDArray[np.bool_]
    """(M,) bool."""
    fixed: NDArray[np.bool_]
    """(M,) bool: neither to be evicted nor to be loaded now."""

    def items(self) -> Items:
        """The same as the planner wants it: every adapter has a copy in host memory."""
        count = len(self.ids)
        return Items(
            kind=StateKind.ADAPTER,
            keys=range(count),
            distance_s=self.distance_s,
            size_bytes=np.ones(count, np.int64),
            tier=np.where(self.in_slot, Tier.DEVICE, Tier.HOST).astype(np.int8),
            pinned=self.fixed,
            rebuild_s=np.zeros(count, np.float32),
            backed_up=self.in_slot,
        )


def victim(rows: AdapterRows) -> int | None:
    """Row of the farthest adapter that may leave its slot; None = none may."""
    return next(Order(rows.items()).farthest(Tier.DEVICE), None)


def next_load(rows: AdapterRows, slots: int, policy: PolicySettings) -> int | None:
    """Row of the one adapter worth bringing to a slot now; None = none is.

    A slot is free, or it is within the prefetch horizon and ``victim`` is so much farther that the
    swap is worth it.
    """
    count = len(rows.ids)
    budget = Budget((slots, count, 0), (int(rows.in_slot.sum()), count, 0), ONE_LOAD)
    # Slots do not grow while they are used, so none is kept free.
    decided = plan(rows.items(), budget, policy.model_copy(update={"device_headroom": 0.0}))
    for action in decided.actions:
        if isinstance(action, Load):
            assert isinstance(action.key, int)
            return action.key
    return None
