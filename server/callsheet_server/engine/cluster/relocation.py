"""Moves between replicas, ahead of need: an NPC is warmed at its new home before the old forgets.

Only those without a request under way move, and not those who are about to have one, unless their
replica is to be stopped.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from callsheet_residency.state import Tier
from callsheet_server.engine.cluster.homes import Homes
from callsheet_server.engine.cluster.replica import Replica
from callsheet_server.world.key import NpcKey

__all__ = ["Relocator"]

logger = logging.getLogger(__name__)

INTERVAL_S: Final = 0.25
"""Time between two looks at who should move."""
ARRIVING_MOST: Final = 32
"""NPCs warmed at new homes at the same time, per replica."""
WARM_PATIENCE_S: Final = 10.0
"""Longest wait for a prefix at its new home; without it, the first request there computes it."""
SLICE: Final = 128
"""NPCs re-homed at a stretch: a few milliseconds of the event loop."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    """An NPC that is announced at its new home and still lives at the old one."""

    source: int
    target: int
    until_s: float


class Relocator:
    """Carries out moves; ``Homes`` says which."""

    def __init__(
        self, homes: Homes, replicas: Sequence[Replica], near_s: float, horizon_s: float
    ) -> None:
        """Plan nothing yet.

        Args:
            homes: who lives where.
            replicas: all of them, by index.
            near_s: those whose call is nearer stay where they are.
            horizon_s: those whose call is farther are not warmed, and need not be.
        """
        self._homes = homes
        self._replicas = replicas
        self._near_s = near_s
        self._horizon_s = horizon_s
        self._arrivals: dict[NpcKey, _Arrival] = {}

    def arriving(self, replica: int) -> int:
        """Count the NPCs that are warmed there before they move in."""
        return sum(arrival.target == replica for arrival in self._arrivals.values())

    async def run(self) -> None:
        """Move until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            try:
                self.step(asyncio.get_running_loop().time())
            except Exception:
                logger.exception("moving NPCs between replicas failed; it goes on")

    def step(self, now_s: float) -> None:
        """Finish what has arrived, and begin new moves."""
        busy = set().union(*(replica.engine.busy() for replica in self._replicas))
        for key, arrival in list(self._arrivals.items()):
            self._finish_if_ready(key, arrival, now_s, key in busy)
        free = ARRIVING_MOST * len(self._replicas) - len(self._arrivals)
        for key, target in self._homes.wanted_moves(free):
            source = self._homes.of(key)
            if source is None or key in busy or key in self._arrivals:
                continue
            distance_s = self._replicas[source].engine.distance_s(key)
            if distance_s < self._near_s and self._replicas[source].takes_npcs:
                continue
            if distance_s > self._horizon_s or not self._replicas[source].engine.serving:
                self.move_now(key, target)
            else:
                self._announce(key, source, target)
                self._arrivals[key] = _Arrival(source, target, now_s + WARM_PATIENCE_S)

    def move_now(self, key: NpcKey, target: int) -> None:
        """Give an NPC its new home at once."""
        self.give_up(key)
        source = self._homes.of(key)
        assert source is not None, f"{key} has no home"
        if source != target:
            self._homes.move(key, target)
            self._announce(key, source, target)
            self._replicas[source].engine.release_npc(key)

    def give_up(self, key: NpcKey) -> None:
        """Undo a move that is not finished: the NPC has changed, is gone or is needed now."""
        arrival = self._arrivals.pop(key, None)
        if arrival is not None:
            self._replicas[arrival.target].engine.release_npc(key)

    async def move_away(self, replica: int) -> int:
        """Re-home everybody of a lost replica, the soonest first; return their number."""
        for key in [k for k, a in self._arrivals.items() if replica in (a.source, a.target)]:
            self.give_up(key)
        keys = self._replicas[replica].engine.npcs_soonest_first()
        moved = 0
        for start in range(0, len(keys), SLICE):
            part = [k for k in keys[start : start + SLICE] if self._homes.of(k) == replica]
            if self._replicas[replica].engine.serving or not self._homes.placement.open.any():
                break
            for key, target in zip(part, self._homes.elsewhere(part), strict=True):
                self.move_now(key, target)
            moved += len(part)
            await asyncio.sleep(0)
        return moved

    def _announce(self, key: NpcKey, source: int, target: int) -> None:
        old, new = self._replicas[source].engine, self._replicas[target].engine
        new.take_over(old.profiles[key], old.distance_s(key))

    def _finish_if_ready(self, key: NpcKey, arrival: _Arrival, now_s: float, is_busy: bool) -> None:
        target = self._replicas[arrival.target]
        if not target.takes_npcs:
            self.give_up(key)
        elif not is_busy and (
            target.engine.residency.tier(key) is not Tier.ABSENT or now_s >= arrival.until_s
        ):
            del self._arrivals[key]
            self._homes.move(key, arrival.target)
            self._replicas[arrival.source].engine.release_npc(key)

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        for key, arrival in self._arrivals.items():
            assert self._homes.of(key) == arrival.source, f"{key} arrives from where it is not"
            assert math.isfinite(arrival.until_s)
