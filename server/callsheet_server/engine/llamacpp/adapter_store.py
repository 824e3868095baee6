"""LoRA adapters of llama.cpp: all on the device, from start to end.

llama.cpp reads adapters when it starts and keeps them beside the model; a request says which one it
wants. So they never move. Replies with different adapters take turns, batch by batch.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.models.gguf_file import GgufFile

__all__ = ["AdapterStore"]


class AdapterStore:
    """A ``StateStore`` of kind ``ADAPTER``; keys are adapter ids."""

    def __init__(self, adapters: Mapping[str, GgufFile]) -> None:
        self._adapters = dict(adapters)
        self._numbers = {adapter: number for number, adapter in enumerate(adapters)}

    @property
    def kind(self) -> StateKind:
        return StateKind.ADAPTER

    @property
    def paths(self) -> Sequence[Path]:
        """Their files, in the order of their numbers."""
        return [file.path for file in self._adapters.values()]

    def number(self, adapter: str | None) -> int | None:
        """The number by which llama.cpp knows it; None = no adapter."""
        return None if adapter is None else self._numbers[adapter]

    def fingerprint(self, adapter: str | None) -> str:
        """Hash of the file; "" = no adapter."""
        return "" if adapter is None else self._adapters[adapter].fingerprint

    def capacity_bytes(self, tier: Tier) -> int:
        """Twice what lies there, so that nothing has to go."""
        return 2 * self.used_bytes(tier)

    def used_bytes(self, tier: Tier) -> int:
        """Bytes that lie in a tier."""
        return sum(map(self.size_bytes, self._adapters)) if tier is Tier.DEVICE else 0

    def items(self, tier: Tier) -> int:
        """Adapters whose tier this is."""
        return len(self._adapters) if tier is Tier.DEVICE else 0

    def tier(self, key: Hashable) -> Tier:
        return Tier.DEVICE if key in self._adapters else Tier.ABSENT

    def size_bytes(self, key: Hashable) -> int:
        file = self._adapters.get(str(key))
        return 0 if file is None else file.size_bytes

    def rebuild_s(self, key: Hashable) -> float:
        return math.inf

    def backed_up(self, key: Hashable) -> bool:
        return False

    def load(self, key: Hashable, target: Tier) -> int:
        return 0

    def evict(self, key: Hashable, target: Tier) -> int:
        return 0

    def drop(self, key: Hashable) -> None:
        """Nothing: the settings name it."""

    def take_changes(self) -> set[Hashable]:
        return set()

    def check_integrity(self) -> None:
        """Nothing: it does not change."""
