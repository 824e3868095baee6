"""The planner: state moves as a pure function of distances, tiers and memory budgets.

Depends on numpy, pydantic and the standard library only, so that the SGLang plugin can import it
alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from callsheet_residency.actions import Action, Evict, Load, Plan
from callsheet_residency.items import NOTHING, Budget, Credit, Items, cost
from callsheet_residency.order import Key, Order
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import Tier
from callsheet_residency.worth import displaced_beyond_s

__all__ = ["plan", "plan_demand"]


def plan(items: Items, budget: Budget, policy: PolicySettings) -> Plan:
    """Decide the moves worth making now.

    First, if the device is fuller than its headroom allows, the farthest items beyond the prefetch
    horizon are evicted, as many as there are. Then the items within the horizon that are not on the
    device are brought there, nearest first, room being made by evicting the farthest, each of which
    must be farther than what comes by so much that the swap is worth its bytes (``worth.py``). Room
    that is left is filled from host and disk, nearest first, whatever the horizon. An evicted item
    goes to host memory, displacing farther items there if need be; else to disk; else it is
    dropped, if it can be rebuilt. Nearest first is strict: what cannot be paid for, or has no room,
    is not overtaken by something farther from the same source tier, so saved-up credit goes to the
    nearest.

    Carried out in order, the plan exceeds no capacity at any point and no credit in total. Once it
    has been carried out, planning again with what is left of the credit gives an empty plan.

    Args:
        items: M items.
        budget: see there.
        policy: horizon, margins and headroom. With a horizon of 0 nothing is brought at all.
    """
    draft = _Draft(items, budget, policy.device_headroom, policy.prefetch_horizon_s)
    draft.make_room(0, beyond_s=policy.prefetch_horizon_s, reason="headroom", keep_partial=True)
    if policy.prefetch_horizon_s > 0.0:
        draft.prefetch(policy)
        draft.fill()
    return Plan(tuple(draft.actions))


def plan_demand(items: Items, row: int, budget: Budget) -> Plan:
    """Decide how to bring one item to the device for a caller who waits for it.

    Headroom, hysteresis and credit do not count: whatever is not pinned may be evicted. The plan is
    empty if the item is there, is pinned, or no room can be made.
    """
    if items.tier[row] == Tier.DEVICE or items.pinned[row]:
        return Plan()
    unlimited = Credit(2**62, 2**62, 2**62, 1e18)
    budget = replace(budget, credit=unlimited)
    draft = _Draft(items, budget, headroom=0.0, horizon_s=-1.0)
    draft.load(row, beyond_s=-1.0, reason="a caller waits for it")
    return Plan(tuple(draft.actions))


class _Victims:
    """One tier's rows, farthest first, with rows that arrive while the plan is made."""

    def __init__(self, rows: Iterator[int], order: Order) -> None:
        self._rows = rows
        self._order = order
        self._heap: list[tuple[float, float, int]] = []
        self._pull()

    def peek(self) -> int | None:
        return self._heap[0][2] if self._heap else None

    def pop(self) -> int:
        row = heapq.heappop(self._heap)[2]
        if row == self._last:
            self._pull()
        return row

    def push(self, row: int) -> None:
        distance_s, minus_cost = self._order.key(row)
        heapq.heappush(self._heap, (-distance_s, -minus_cost, row))

    def _pull(self) -> None:
        """Take in the next row of the stream: the heap always holds the stream's head."""
        self._last = next(self._rows, None)
        if self._last is not None:
            self.push(self._last)


class _Draft:
    """A plan in the making: what has been decided, and the room and credit it leaves."""

    def __init__(self, items: Items, budget: Budget, headroom: float, horizon_s: float) -> None:
        self.actions: list[Action] = []
        self._items = items
        self._order = Order(items)
        self._horizon_s = horizon_s
        self._credit = budget.credit
        self._free = [
            capacity - used
            for capacity, used in zip(budget.capacity_bytes, budget.used_bytes, strict=True)
        ]
        self._device_limit = int(budget.capacity_bytes[Tier.DEVICE] * (1.0 - headroom))
        self._free[Tier.DEVICE] -= budget.capacity_bytes[Tier.DEVICE] - self._device_limit
        self._capacity = budget.capacity_bytes
        self._victims: dict[Tier, _Victims] = {}
        """Made when first asked for: each costs a pass over all items."""
        self._arrived: dict[Tier, list[int]] = {tier: [] for tier in Tier}
        self._stuck: list[int] = []
        self._loaded: set[int] = set()
        self._coming: int | None = None
        """The row that room is being made for: it must not be displaced by those who make it."""

    def prefetch(self, policy: PolicySettings) -> None:
        """Load what is within the horizon, nearest first, from all tiers below the device."""
        tiers = (Tier.HOST, Tier.DISK, Tier.ABSENT)
        for row in self._nearest(tiers, policy.prefetch_horizon_s):
            distance_s = self._order.distance_s(row)
            beyond_s = displaced_beyond_s(distance_s, policy.hysteresis_s, policy.least_gain)
            if not self.load(row, beyond_s, f"needed in {distance_s:.1f} s"):
                return

    def fill(self) -> None:
        """Load into room that is left, nearest first, what is parked and may ever be needed."""
        items, parked = self._items, (Tier.HOST, Tier.DISK)
        sizes = items.size_bytes[np.isin(items.tier, parked) & ~items.pinned]
        if not len(sizes) or self._free[Tier.DEVICE] < sizes.min():
            return
        for row in self._nearest(parked, np.inf):
            if not self.load(row, beyond_s=np.inf, reason="room is free"):
                return

    def _nearest(self, tiers: Iterable[Tier], horizon_s: float) -> Iterator[int]:
        """Rows of these tiers that can be paid for, nearest first.

        What fits no device at all is left out. A tier whose nearest row cannot be paid for waits
        for credit; the others go on.
        """
        heads: list[tuple[Key, int, Tier, Iterator[int]]] = []

        def advance(source: Tier, rows: Iterator[int]) -> None:
            for row in rows:
                if self._items.size_bytes[row] <= self._device_limit and row not in self._loaded:
                    heapq.heappush(heads, (self._order.key(row), row, source, rows))
                    return

        for source in tiers:
            advance(source, self._order.nearest(source, horizon_s))
        while heads:
            _, row, source, rows = heapq.heappop(heads)
            if self._credit.covers(cost(self._items, row, source, Tier.DEVICE)):
                yield row
                advance(source, rows)

    def load(self, row: int, beyond_s: float, reason: str) -> bool:
        """Bring ``row`` to the device, making room for it; False, and nothing done, if not."""
        items = self._items
        source, size = Tier(int(items.tier[row])), int(items.size_bytes[row])
        price = cost(items, row, source, Tier.DEVICE)
        if not self._credit.covers(price) or size > self._device_limit:
            return False
        self._coming = row
        before = self._credit
        self._credit -= price  # Set aside: making room may need the same link.
        if not self.make_room(size, beyond_s, f"makes room for {items.keys[row]}"):
            self._credit = before
            return False
        self._free[Tier.DEVICE] -= size
        self._loaded.add(row)
        if source is not Tier.ABSENT:
            self._free[source] += size
            self._retry_stuck()
        self.actions.append(Load(items.kind, items.keys[row], source, Tier.DEVICE, size, reason))
        return True

    def make_room(
        self, need_bytes: int, beyond_s: float, reason: str, keep_partial: bool = False
    ) -> bool:
        """Evict the farthest from the device until ``need_bytes`` fit.

        Only rows farther than ``beyond_s`` are evicted. If that is not enough the answer is False,
        and what was decided on the way is forgotten unless ``keep_partial``.
        """
        before = len(self.actions), list(self._free), self._credit
        while self._free[Tier.DEVICE] < need_bytes:
            if not self._evict_farthest(beyond_s, reason):
                if not keep_partial:
                    decided, self._free, self._credit = before
                    del self.actions[decided:]
                return False
        return True

    def _evict_farthest(self, beyond_s: float, reason: str) -> bool:
        """Evict the farthest row of the device that has a place to go to; False if none may go.

        If a farther one has to stay, only rows beyond the horizon go in its stead: no nearer one
        that would be wanted back as soon as the farther one finds a place.
        """
        while True:
            if self._stuck:
                beyond_s = max(beyond_s, self._horizon_s)
            if (victim := self._next_victim(Tier.DEVICE, beyond_s)) is None:
                return False
            target = self._place_below_device(victim)
            if target is not None:
                return self._move_down(victim, Tier.DEVICE, target, reason)
            self._stuck.append(victim)

    def _queue(self, tier: Tier) -> _Victims:
        if tier not in self._victims:
            self._victims[tier] = _Victims(self._order.farthest(tier), self._order)
            for row in self._arrived[tier]:
                self._victims[tier].push(row)
        return self._victims[tier]

    def _next_victim(self, tier: Tier, beyond_s: float) -> int | None:
        """Take the farthest row of ``tier`` if it is farther than ``beyond_s``."""
        queue = self._queue(tier)
        if self._coming is not None and queue.peek() == self._coming:
            queue.pop()
        row = queue.peek()
        if row is None or not self._order.distance_s(row) > beyond_s:
            return None
        return queue.pop()

    def _place_below_device(self, row: int) -> Tier | None:
        """Find, or make, the best place for an evicted row; None if it has to stay."""
        size = int(self._items.size_bytes[row])
        if self._items.backed_up[row]:
            return Tier.HOST
        for tier in (Tier.HOST, Tier.DISK):
            if size <= self._free[tier] or self._displace(row, size, tier):
                return tier
        return Tier.ABSENT if np.isfinite(self._items.rebuild_s[row]) else None

    def _displace(self, row: int, size: int, tier: Tier) -> bool:
        """Make room for ``row`` on host or disk by moving on what is farther; False = impossible.

        What leaves the host goes to free room on disk, else it is dropped, as is what leaves the
        disk.
        """
        if size > self._capacity[tier]:
            return False
        items, free, credit = self._items, list(self._free), self._credit
        seen: list[int] = []
        moves: list[tuple[int, Tier]] = []
        while free[tier] < size:
            victim = self._next_victim(tier, self._order.distance_s(row))
            if victim is None:
                break
            seen.append(victim)
            victim_size = int(items.size_bytes[victim])
            if tier is Tier.HOST and victim_size <= free[Tier.DISK]:
                target = Tier.DISK
                free[Tier.DISK] -= victim_size
            elif np.isfinite(items.rebuild_s[victim]):
                target = Tier.ABSENT
            else:
                continue
            free[tier] += victim_size
            credit -= cost(items, victim, tier, target)
            moves.append((victim, target))
        if free[tier] < size or not credit.covers(NOTHING):
            for victim in seen:
                self._queue(tier).push(victim)
            return False
        for victim, target in moves:
            self._move_down(victim, tier, target, f"makes room for {items.keys[row]}")
        for victim in set(seen).difference(victim for victim, _ in moves):
            self._queue(tier).push(victim)
        self._retry_stuck()
        return True

    def _move_down(self, row: int, source: Tier, target: Tier, reason: str) -> bool:
        """Decide an eviction; False if it cannot be paid for."""
        items, size = self._items, int(self._items.size_bytes[row])
        price = cost(items, row, source, target)
        if not self._credit.covers(price):
            return False
        self._credit -= price
        self._free[source] += size
        if target is not Tier.ABSENT:
            if target in self._victims:
                self._victims[target].push(row)
            else:
                self._arrived[target].append(row)
            if not (source is Tier.DEVICE and items.backed_up[row]):
                self._free[target] -= size
        distance_s = self._order.distance_s(row)
        reason = f"{reason}; itself needed in {distance_s:.1f} s"
        self.actions.append(Evict(items.kind, items.keys[row], source, target, size, reason))
        return True

    def _retry_stuck(self) -> None:
        """Room below the device has grown: rows that found no place there may find one now."""
        for row in self._stuck:
            self._queue(Tier.DEVICE).push(row)
        self._stuck.clear()
