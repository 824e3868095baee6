"""The server's planning without a server: distances in, moves of an engine's state out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from callsheet_bench.local.cast import WORLD
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind
from callsheet_server.engine.engine import Engine
from callsheet_server.engine.mover import Mover
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.residency.policies import DISTANCE, Policy
from callsheet_server.world.key import NpcKey

__all__ = ["SIGMA", "Planned"]

SIGMA: Final = 0.5
"""Of the log-normal factor by which a told time is off."""
PLAN_S: Final = 0.05


class Planned:
    """Plans for an engine by a policy, as ``rooms/pipeline.py`` does."""

    def __init__(
        self,
        engine: Engine,
        models: Mapping[str, str | None],
        call_s: float,
        policy: Policy[Any] = DISTANCE,
    ) -> None:
        """Begin to plan.

        Args:
            engine: started.
            models: every NPC, and its model where there are several.
            call_s: assumed time from one call to the next.
            policy: ``DISTANCE``, or one that looks at the past alone.
        """
        self._engine = engine
        self._models = models
        self._npcs = tuple(models)
        self._call_s = call_s
        self._looks_ahead = policy is DISTANCE
        self._controller = ResidencyController(engine.stores, PolicySettings(), policy)
        self._mover = Mover(engine.stores, self._controller, lambda _: None)
        for row, (npc, model) in enumerate(models.items()):
            self._controller.link(WORLD, row, StateKind.PREFIX, NpcKey(WORLD, npc))
            if model is not None:
                self._controller.link(WORLD, row, StateKind.WEIGHTS, model)
        self._used_s = np.full(len(self._npcs), -np.inf)
        self._rng = np.random.default_rng(7)

    def tell(self, to_come: Sequence[str]) -> None:
        """Tell who will be asked, in order; a policy that does not look ahead is told the past."""
        if self._looks_ahead:
            true_s = np.full(len(self._npcs), np.inf)
            for index in reversed(range(len(to_come))):
                true_s[self._npcs.index(to_come[index])] = index * self._call_s
            distance_s = true_s * self._rng.lognormal(0.0, SIGMA, len(self._npcs))
        else:
            distance_s = time.perf_counter() - self._used_s
        told_s = distance_s.astype(np.float32)
        self._controller.set_distances(WORLD, told_s)
        self._engine.publish(WORLD, self._npcs, told_s)

    def demand(self, npc: str) -> None:
        """Note that an NPC is asked now."""
        self._used_s[self._npcs.index(npc)] = time.perf_counter()
        if (model := self._models[npc]) is not None:
            self._mover.submit(self._controller.demand(StateKind.WEIGHTS, model), urgent=True)
        key = NpcKey(WORLD, npc)
        self._mover.submit(self._controller.demand(StateKind.PREFIX, key), urgent=True)

    @contextlib.asynccontextmanager
    async def planning(self) -> AsyncIterator[None]:
        """Move state for a block."""
        task = asyncio.create_task(self._plan())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._mover.idle()

    async def close(self) -> None:
        await self._mover.close()

    async def _plan(self) -> None:
        while True:
            for store in self._engine.stores:
                for key in store.take_changes():
                    self._controller.refresh(store.kind, key)
            self._mover.submit(self._controller.step(time.perf_counter()))
            await asyncio.sleep(PLAN_S)
