"""A ``StateStore`` without state: it knows sizes and places, and refuses what has no room."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from callsheet_residency.errors import BudgetError
from callsheet_residency.state import StateKind, Tier
from callsheet_server.trace.trace import TraceNpc

__all__ = ["ModelStore"]


class ModelStore:
    """Prefixes of a trace's NPCs, keyed by row. All start parked on the host if they fit there."""

    def __init__(self, npcs: Sequence[TraceNpc], capacity_bytes: tuple[int, int, int]) -> None:
        self.used_bytes = [0, 0, 0]
        self._npcs = npcs
        self._capacity = capacity_bytes
        self._tier = [Tier.ABSENT] * len(npcs)
        for row, npc in enumerate(npcs):
            for tier in (Tier.HOST, Tier.DISK):
                if self._tier[row] is Tier.ABSENT and npc.size_bytes <= self._free(tier):
                    self._move(row, tier)

    @property
    def kind(self) -> StateKind:
        return StateKind.PREFIX

    def capacity_bytes(self, tier: Tier) -> int:
        return self._capacity[tier]

    def tier(self, key: Hashable) -> Tier:
        return self._tier[self._row(key)]

    def size_bytes(self, key: Hashable) -> int:
        return self._npcs[self._row(key)].size_bytes

    def rebuild_s(self, key: Hashable) -> float:
        return self._npcs[self._row(key)].rebuild_s

    def backed_up(self, key: Hashable) -> bool:
        return False

    def load(self, key: Hashable, target: Tier) -> int:
        return self._move(self._row(key), target)

    def evict(self, key: Hashable, target: Tier) -> int:
        return self._move(self._row(key), target)

    def drop(self, key: Hashable) -> None:
        self._move(self._row(key), Tier.ABSENT)

    def take_changes(self) -> set[Hashable]:
        return set()

    def check_integrity(self) -> None:
        for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK):
            held = [
                n.size_bytes for n, at in zip(self._npcs, self._tier, strict=True) if at is tier
            ]
            assert sum(held) == self.used_bytes[tier], f"{tier.name} is miscounted"
            assert self._free(tier) >= 0, f"{tier.name} is over budget"

    def _row(self, key: Hashable) -> int:
        assert isinstance(key, int)
        return key

    def _free(self, tier: Tier) -> int:
        return self._capacity[tier] - self.used_bytes[tier]

    def _move(self, row: int, target: Tier) -> int:
        size, source = self._npcs[row].size_bytes, self._tier[row]
        if target is not Tier.ABSENT:
            if size > self._free(target):
                raise BudgetError(f"{target.name} has no room for {size} bytes")
            self.used_bytes[target] += size
        if source is not Tier.ABSENT:
            self.used_bytes[source] -= size
        self._tier[row] = target
        return 0 if Tier.ABSENT in (source, target) else size
