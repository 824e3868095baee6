"""A state store that only keeps books: sizes and tiers, no bytes."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping

from callsheet_residency.errors import BudgetError
from callsheet_residency.state import StateKind, Tier

__all__ = ["SimulatedStore"]


class SimulatedStore:
    """A ``StateStore`` whose state weighs what it is said to weigh and moves at once."""

    def __init__(
        self, kind: StateKind, capacity_bytes: Mapping[Tier, int], rebuild_s: float = 0.0
    ) -> None:
        self._kind = kind
        self._capacity = dict(capacity_bytes)
        self._rebuild_s = rebuild_s
        self._lock = threading.Lock()
        self._items: dict[Hashable, tuple[Tier, int]] = {}
        self._used = dict.fromkeys(Tier, 0)
        self._changed: set[Hashable] = set()

    @property
    def kind(self) -> StateKind:
        return self._kind

    def put(self, key: Hashable, size_bytes: int) -> None:
        """Make a key known, absent from every tier."""
        with self._lock:
            self._set(key, Tier.ABSENT, size_bytes)
            self._changed.add(key)

    def capacity_bytes(self, tier: Tier) -> int:
        return self._capacity.get(tier, 0)

    def used_bytes(self, tier: Tier) -> int:
        return self._used[tier]

    def items(self, tier: Tier) -> int:
        with self._lock:
            return sum(where is tier for where, _ in self._items.values())

    def tier(self, key: Hashable) -> Tier:
        return self._items.get(key, (Tier.ABSENT, 0))[0]

    def size_bytes(self, key: Hashable) -> int:
        return self._items.get(key, (Tier.ABSENT, 0))[1]

    def rebuild_s(self, key: Hashable) -> float:
        return self._rebuild_s

    def backed_up(self, key: Hashable) -> bool:
        return False

    def load(self, key: Hashable, target: Tier) -> int:
        return self._move(key, target)

    def evict(self, key: Hashable, target: Tier) -> int:
        return self._move(key, target)

    def drop(self, key: Hashable) -> None:
        with self._lock:
            if key in self._items:
                self._set(key, Tier.ABSENT, 0)
                del self._items[key]
                self._changed.add(key)

    def take_changes(self) -> set[Hashable]:
        with self._lock:
            changed, self._changed = self._changed, set()
            return changed

    def check_integrity(self) -> None:
        with self._lock:
            for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK):
                held = sum(size for where, size in self._items.values() if where is tier)
                assert held == self._used[tier], (
                    f"{tier.name}: {held} bytes held, {self._used[tier]} counted"
                )
                assert held <= self.capacity_bytes(tier), f"{tier.name} is over its budget"

    def _move(self, key: Hashable, target: Tier) -> int:
        with self._lock:
            source, size = self._items.get(key, (target, 0))
            if source is target:
                return 0  # It is there, or was dropped meanwhile.
            room = self.capacity_bytes(target) - self._used[target]
            if target is not Tier.ABSENT and size > room:
                raise BudgetError(f"{key}: {size} bytes, {target.name.lower()} has room for {room}")
            self._set(key, target, size)
            return size

    def _set(self, key: Hashable, tier: Tier, size: int) -> None:
        before, old_size = self._items.get(key, (Tier.ABSENT, 0))
        self._used[before] -= old_size
        self._used[tier] += size
        self._items[key] = (tier, size)
