"""The planner's order for few changes at a time: O(log N) per update, no pass over all items.

Entries are keyed by *absolute* due time, so that the clock alone reorders nothing; an entry that no
longer matches its row is passed over, and dropped when half of a heap is such (lazy deletion).
Plans made over it equal the dense ones.

``loadtest/bench/planner.py`` measures when which applies: an update costs a few microseconds at any
size, a dense plan over 100,000 items 2 to 6 ms, so sparse pays while fewer than a few hundred
distances change per plan. The server plans densely: a tick changes nearly every distance at once.
Sparse is for engines to which distances come as single events.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np

from callsheet_server.residency.items import Items
from callsheet_server.residency.order import Key, rebuild_s_per_byte
from callsheet_server.residency.state import Tier

__all__ = ["SparseOrder"]

Entry = tuple[float, float, int, int]
"""(due or -due, tie-break, row, version)."""


class SparseOrder:
    """Heaps per tier over rows with due times.

    Of ``items`` the tier, pins, sizes and costs are read live; call ``update`` for every row of
    which one of them, or the due time, has changed. Distances below 0 (overdue) count as 0 for the
    policy, but stay ordered by due time among themselves.
    """

    def __init__(self, items: Items, now_s: float = 0.0) -> None:
        self.now_s = now_s
        """The time distances are counted from; advance it before planning. O(1)."""
        self._items = items
        self._due_s: list[float] = (items.distance_s.astype(np.float64) + now_s).tolist()
        self._version = [0] * len(self._due_s)
        self._near: list[list[Entry]] = [[] for _ in Tier]
        self._far: list[list[Entry]] = [[] for _ in Tier]
        for row in np.flatnonzero(~items.pinned).tolist():
            near, far = self._entries(row)
            self._near[items.tier[row]].append(near)
            self._far[items.tier[row]].append(far)
        for heap in (*self._near, *self._far):
            heapq.heapify(heap)

    def update(self, row: int, due_s: float) -> None:
        """Take in that something about ``row`` has changed: O(log N)."""
        self._due_s[row] = due_s
        self._version[row] += 1
        if not self._items.pinned[row]:
            tier = self._items.tier[row]
            near, far = self._entries(row)
            heapq.heappush(self._near[tier], near)
            heapq.heappush(self._far[tier], far)
            self._compact(self._near, tier)
            self._compact(self._far, tier)

    def distance_s(self, row: int) -> float:
        return max(self._due_s[row] - self.now_s, 0.0)

    def key(self, row: int) -> Key:
        return self.distance_s(row), -rebuild_s_per_byte(self._items, row)

    def nearest(self, tier: Tier, horizon_s: float) -> Iterator[int]:
        for row in self._in_order(self._near[tier]):
            if not self.distance_s(row) < horizon_s:
                return
            yield row

    def farthest(self, tier: Tier) -> Iterator[int]:
        return self._in_order(self._far[tier])

    def _entries(self, row: int) -> tuple[Entry, Entry]:
        due_s, dear = self._due_s[row], rebuild_s_per_byte(self._items, row)
        version = self._version[row]
        return (due_s, -dear, row, version), (-due_s, dear, row, version)

    def _in_order(self, heap: list[Entry]) -> Iterator[int]:
        """Walk a heap's live rows best-first without changing it: O(log k) for the k-th."""
        frontier = [(heap[0], 0)] if heap else []
        while frontier:
            entry, at = heapq.heappop(frontier)
            for child in range(2 * at + 1, min(2 * at + 3, len(heap))):
                heapq.heappush(frontier, (heap[child], child))
            if entry[3] == self._version[entry[2]]:
                yield entry[2]

    def _compact(self, heaps: list[list[Entry]], tier: int) -> None:
        """Rebuild a heap of mostly dead entries: memory stays O(N), amortised O(1) per update."""
        if len(heaps[tier]) > 2 * len(self._version) + 64:
            heaps[tier] = [e for e in heaps[tier] if e[3] == self._version[e[2]]]
            heapq.heapify(heaps[tier])
