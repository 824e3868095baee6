"""Memory budgets of prefixes, where several models share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.settings import EmbeddedSettings

__all__ = ["PrefixBudgets", "nothing_else"]


def nothing_else(_: Tier) -> int:
    """Bytes that other models' prefixes take, where there is one model."""
    return 0


class PrefixBudgets(Mapping[Tier, int]):
    """Bytes per tier, below the device less what the prefixes of other models take just now.

    On the device each model has a KV cache of its own, which any of its NPCs may fill; that all
    together keep within the budget is the planner's work.
    """

    def __init__(self, settings: EmbeddedSettings, others: Callable[[Tier], int]) -> None:
        """``others``: bytes that the prefixes of other models take in a tier; from any thread."""
        self._others = others
        self._bytes = {
            Tier.DEVICE: settings.device_budget_bytes,
            Tier.HOST: settings.host_budget_bytes,
            Tier.DISK: settings.disk_budget_bytes,
        }

    def __getitem__(self, tier: Tier) -> int:
        taken = 0 if tier is Tier.DEVICE else self._others(tier)
        return max(self._bytes[tier] - taken, 0)

    def __iter__(self) -> Iterator[Tier]:
        return iter(self._bytes)

    def __len__(self) -> int:
        return len(self._bytes)
