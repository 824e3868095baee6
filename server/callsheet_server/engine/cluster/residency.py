"""View of the prefixes of all replicas: an NPC's is looked for at its home."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from callsheet_residency.state import StateKind, StateView, Tier
from callsheet_server.engine.cluster.homes import Homes
from callsheet_server.engine.cluster.replica import Replica
from callsheet_server.engine.engine import TierUse
from callsheet_server.world.key import NpcKey

__all__ = ["ClusterPrefixes", "sum_of_tiers"]


class ClusterPrefixes:
    """A ``StateView``."""

    def __init__(self, homes: Homes, replicas: Sequence[Replica]) -> None:
        self._homes = homes
        self._replicas = replicas

    def tier(self, key: Hashable) -> Tier:
        view = self._at_home(key)
        return Tier.ABSENT if view is None else view.tier(key)

    def size_bytes(self, key: Hashable) -> int:
        view = self._at_home(key)
        return 0 if view is None else view.size_bytes(key)

    def rebuild_s(self, key: Hashable) -> float:
        view = self._at_home(key)
        return 0.0 if view is None else view.rebuild_s(key)

    def _at_home(self, key: Hashable) -> StateView | None:
        assert isinstance(key, NpcKey)
        home = self._homes.of(key)
        return None if home is None else self._replicas[home].engine.residency


def sum_of_tiers(uses: Iterable[TierUse]) -> tuple[TierUse, ...]:
    """Add up the tiers of replicas, kind by kind."""
    sums: dict[tuple[StateKind, Tier], TierUse] = {}
    for use in uses:
        had = sums.get((use.kind, use.tier))
        sums[use.kind, use.tier] = (
            use
            if had is None
            else TierUse(
                kind=use.kind,
                tier=use.tier,
                used_bytes=had.used_bytes + use.used_bytes,
                budget_bytes=had.budget_bytes + use.budget_bytes,
                items=had.items + use.items,
            )
        )
    return tuple(sums.values())
