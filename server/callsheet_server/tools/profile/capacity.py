"""Hit rate by size of device memory: miss-ratio curves.

For LRU the whole curve follows from one pass over the calls (Mattson et al., "Evaluation techniques
for storage hierarchies", IBM Systems Journal 9(2), 1970): a call hits at every budget that holds
its NPC's state and that of all others who called since its last call. With states of different
sizes that is exact up to the last state that fits in part. For our policy no such shortcut exists,
so it is simulated at a number of budgets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_server.residency.policies import BELADY, CLAIRVOYANT, DISTANCE
from callsheet_server.tools.simulation import Links, TierBudgets, simulate
from callsheet_server.trace import Trace

__all__ = ["Capacity", "capacity", "stack_distance_bytes"]

SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
"""Device budgets at which our policy is simulated, as shares of all state."""
REFINEMENTS = 3
"""Further simulations to close in on the budget that reaches the wanted hit rate."""
LRU_POINTS = 100


@dataclass(frozen=True, slots=True)
class Capacity:
    """Hit rates by device budget."""

    total_bytes: int
    """All NPCs' state."""
    lru_budget_bytes: list[int]
    lru_hit_rate: list[float]
    budget_bytes: list[int]
    """Device budgets at which our policy was simulated, ascending."""
    hit_rate: list[float]
    optimum_hit_rate: list[float]
    """The better of two that know the calls to come, at these budgets: Belady's demand paging, and
    our planner told the truth."""
    wanted_hit_rate: float
    lru_wanted_bytes: int | None
    """The smallest budget with which LRU reaches the wanted rate; None = with none."""
    wanted_bytes: int | None
    """The smallest budget tried with which our policy does."""


def capacity(
    trace: Trace, wanted_hit_rate: float, report: Callable[[str], None] = lambda _: None
) -> Capacity:
    """Find the hit rates of a trace with at least one call.

    Args:
        trace: what happened.
        wanted_hit_rate: in (0, 1]; share of calls that are to find their prefix on the device.
        report: told what is being done.
    """
    size_bytes = [npc.size_bytes for npc in trace.npcs]
    total_bytes = sum(size_bytes)
    distance_bytes = np.sort(stack_distance_bytes([c.row for c in trace.calls], size_bytes))
    lru_budgets = np.linspace(0, total_bytes, LRU_POINTS + 1).astype(np.int64)
    lru_hits = np.searchsorted(distance_bytes, lru_budgets, side="right") / len(distance_bytes)
    needed = int(np.ceil(wanted_hit_rate * len(distance_bytes))) - 1
    lru_wanted = distance_bytes[needed]

    tried: dict[int, float] = {}

    def hit_rate(budget_bytes: int) -> float:
        if budget_bytes not in tried:
            report(f"simulating a device of {budget_bytes / total_bytes:.0%} of all state")
            budgets = TierBudgets(budget_bytes, total_bytes)
            tried[budget_bytes] = simulate(trace, DISTANCE, budgets, Links()).hit_rate
        return tried[budget_bytes]

    def optimum(budget_bytes: int) -> float:
        report(f"with the future known, a device of {budget_bytes / total_bytes:.0%}")
        budgets = TierBudgets(budget_bytes, total_bytes)
        return max(
            simulate(trace, policy, budgets, Links()).hit_rate for policy in (BELADY, CLAIRVOYANT)
        )

    grid = [int(share * total_bytes) for share in SHARES]
    rates = [hit_rate(budget) for budget in grid]
    enough = [b for b, rate in zip(grid, rates, strict=True) if rate >= wanted_hit_rate]
    reached = enough[0] if enough else None
    if reached is not None:
        below = max((b for b in grid if b < reached), default=0)
        for _ in range(REFINEMENTS):
            middle = (below + reached) // 2
            if hit_rate(middle) >= wanted_hit_rate:
                reached = middle
            else:
                below = middle
    budgets = sorted(tried)
    return Capacity(
        total_bytes=total_bytes,
        lru_budget_bytes=lru_budgets.tolist(),
        lru_hit_rate=lru_hits.tolist(),
        budget_bytes=budgets,
        hit_rate=[tried[budget] for budget in budgets],
        optimum_hit_rate=[optimum(budget) for budget in budgets],
        wanted_hit_rate=wanted_hit_rate,
        lru_wanted_bytes=int(lru_wanted) if np.isfinite(lru_wanted) else None,
        wanted_bytes=reached,
    )


def stack_distance_bytes(rows: list[int], size_bytes: list[int]) -> NDArray[np.float64]:
    """LRU stack distances of calls, in O(M log M).

    Args:
        rows: M NPCs in the order of their calls.
        size_bytes: of each NPC's state.

    Returns:
        (M,) float64 bytes: the state of the NPC and of all who called since its call before; +inf
        for a first call.
    """
    sums = _PrefixSums(len(rows))
    last: dict[int, int] = {}
    distances = np.full(len(rows), np.inf)
    for position, row in enumerate(rows):
        if (before := last.get(row)) is not None:
            sums.add(before, -size_bytes[row])
            distances[position] = sums.total(position) - sums.total(before) + size_bytes[row]
        sums.add(position, size_bytes[row])
        last[row] = position
    return distances


class _PrefixSums:
    """A Fenwick tree: point updates and prefix sums in O(log M)."""

    def __init__(self, count: int) -> None:
        self._tree = [0] * (count + 1)

    def add(self, position: int, value: int) -> None:
        position += 1
        while position < len(self._tree):
            self._tree[position] += value
            position += position & -position

    def total(self, count: int) -> int:
        """Sum of the values at the first ``count`` positions."""
        total = 0
        while count:
            total += self._tree[count]
            count -= count & -count
        return total
