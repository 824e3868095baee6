"""A StateStore that only counts, and refuses what it must refuse."""

from __future__ import annotations

from collections.abc import Hashable

from callsheet_residency.errors import BudgetError, StateLostError
from callsheet_residency.state import StateKind, StateStore, Tier


class MemoryStore:
    def __init__(
        self, capacity_bytes: tuple[int, int, int], kind: StateKind = StateKind.PREFIX
    ) -> None:
        self._kind = kind
        self._capacity = capacity_bytes
        self.sizes: dict[Hashable, int] = {}
        self.tiers: dict[Hashable, Tier] = {}
        self.backups: set[Hashable] = set()
        self.keeps_backups = False
        self.fails: Exception | None = None
        """Raised by the next move; after a ``StateLostError`` the item is absent."""

    @property
    def kind(self) -> StateKind:
        return self._kind

    def add(self, key: Hashable, size_bytes: int) -> None:
        self.sizes[key] = size_bytes
        self.tiers[key] = Tier.ABSENT

    def capacity_bytes(self, tier: Tier) -> int:
        return self._capacity[tier]

    def tier(self, key: Hashable) -> Tier:
        return self.tiers.get(key, Tier.ABSENT)

    def size_bytes(self, key: Hashable) -> int:
        return self.sizes.get(key, 0)

    def rebuild_s(self, key: Hashable) -> float:
        return 0.01 if key in self.sizes else float("inf")

    def backed_up(self, key: Hashable) -> bool:
        return key in self.backups

    def used_bytes(self, tier: Tier) -> int:
        used = sum(self.sizes[key] for key, at in self.tiers.items() if at is tier)
        if tier is Tier.HOST:
            used += sum(self.sizes[key] for key in self.backups)
        return used

    def load(self, key: Hashable, target: Tier) -> int:
        keeps = self.keeps_backups and self.tiers[key] is Tier.HOST
        return self._move(key, target, keeps=keeps)

    def evict(self, key: Hashable, target: Tier) -> int:
        return self._move(key, target, keeps=False)

    def drop(self, key: Hashable) -> None:
        self.sizes.pop(key, None)
        self.tiers.pop(key, None)
        self.backups.discard(key)

    def take_changes(self) -> set[Hashable]:
        return set()

    def check_integrity(self) -> None:
        for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK):
            assert self.used_bytes(tier) <= self._capacity[tier]
        assert all(self.tiers[key] is Tier.DEVICE for key in self.backups)

    def _move(self, key: Hashable, target: Tier, *, keeps: bool) -> int:
        error, self.fails = self.fails, None
        if error is not None:
            if isinstance(error, StateLostError):
                self.tiers[key] = Tier.ABSENT
                self.backups.discard(key)
            raise error
        size, copy_there = self.sizes[key], key in self.backups and target is Tier.HOST
        if target is not Tier.ABSENT and not copy_there:
            free = self._capacity[target] - self.used_bytes(target)
            if size > free:
                raise BudgetError(f"{target.name} has {free} bytes free, {key} takes {size}")
        self.tiers[key] = target
        self.backups.discard(key)
        if keeps:
            self.backups.add(key)
        return 0 if copy_there or target is Tier.ABSENT else size


_: type[StateStore] = MemoryStore
