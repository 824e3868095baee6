"""One replica of a cluster: its engine, whether it is wanted, and the hits it has had."""

from __future__ import annotations

from typing import Final

from callsheet_residency.state import Tier
from callsheet_server.engine.engine import GenerationEnd, ReplicaLoad, ReplicaState
from callsheet_server.engine.sglang.engine import SglangEngine

__all__ = ["Replica"]


SOONEST: Final = 32
"""NPCs that are named as due next."""


class Replica:
    """A name, an engine, and counts."""

    def __init__(self, name: str, engine: SglangEngine) -> None:
        self.name = name
        self.engine = engine
        self.draining = False
        self.replies = self.device_hits = 0

    @property
    def takes_npcs(self) -> bool:
        """True = it is there, and nobody wants to stop it."""
        return self.engine.serving and not self.draining

    def count(self, end: GenerationEnd) -> None:
        """Count a reply."""
        self.replies += 1
        self.device_hits += end.tier_at_start is Tier.DEVICE

    def _state(self, npcs: int) -> ReplicaState:
        if not self.engine.serving:
            return "lost"
        if self.draining:
            return "draining" if npcs else "drained"
        return "serving"

    def load(self, npcs: int, arriving: int) -> ReplicaLoad:
        """Load at this moment."""
        occupancy = self.engine.occupancy()
        return ReplicaLoad(
            name=self.name,
            state=self._state(npcs),
            npcs=npcs,
            arriving=arriving,
            soonest=self.engine.soonest(SOONEST),
            running=occupancy.running,
            queued=occupancy.queued,
            replies=self.replies,
            device_hits=self.device_hits,
            tiers=occupancy.tiers,
        )
