"""A town of sixty with device room for a quarter: time to first token.

Somebody is asked, answers, and is asked once more; then it is somebody else's turn. Ours is told,
as a game tells it by positions and schedules, about when each will be asked next: the true time,
off by a factor that is log-normal with a sigma of 0.5. It moves prefixes while others speak, in
the same turn and on the same cores that are measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence

import numpy as np

from callsheet_bench.local.cast import REPLY_TOKENS, WORLD
from callsheet_bench.local.contenders import Contender, Engined
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.engine import Engine
from callsheet_server.engine.mover import Mover
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.world.key import NpcKey

__all__ = ["NPCS", "ROOM_NPCS", "Planned", "calls_of_round", "play", "prepare"]

TOWN = 60
ROOM_NPCS = TOWN // 4
NPCS = [f"towns-{number}" for number in range(TOWN)]
ASKED_IN_A_ROW = 2
SIGMA = 0.5
CALL_S = 1.0
"""Assumed time from one call to the next."""
PLAN_S = 0.05
PAUSE_S = 0.3
"""Time between two calls: a player reads."""


def calls_of_round(number: int, visits: int) -> list[str]:
    """Draw who is asked, in order, in a round."""
    rng = np.random.default_rng(number)
    chosen = rng.choice(TOWN, size=visits, replace=False)
    return [NPCS[index] for index in chosen for _ in range(ASKED_IN_A_ROW)]


class Planned:
    """Plans for an engine as the server does, from distances it is told."""

    def __init__(self, engine: Engine, npcs: Sequence[str]) -> None:
        self._engine = engine
        self._npcs = tuple(npcs)
        self._controller = ResidencyController(engine.stores, PolicySettings())
        self._mover = Mover(engine.stores, self._controller, lambda _: None)
        for row, npc in enumerate(npcs):
            self._controller.link(WORLD, row, StateKind.PREFIX, NpcKey(WORLD, npc))
        self._rng = np.random.default_rng(7)

    def tell(self, to_come: Sequence[str]) -> None:
        """Tell who will be asked, in order."""
        true_s = np.full(len(self._npcs), np.inf)
        for index in reversed(range(len(to_come))):
            true_s[self._npcs.index(to_come[index])] = index * CALL_S
        noise = self._rng.lognormal(0.0, SIGMA, len(self._npcs))
        distance_s = (true_s * noise).astype(np.float32)
        self._controller.set_distances(WORLD, distance_s)
        self._engine.publish(WORLD, self._npcs, distance_s)

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


async def prepare(contender: Contender, calls: Sequence[str]) -> None:
    """Have the prefix of everybody who is going to be asked computed once, wherever it then lies.

    Ours need not be asked: it computes ahead. That takes as long and is no part of the figures.
    """
    for npc in dict.fromkeys(calls):
        if isinstance(contender, Engined):
            (store, *_) = contender.engine.stores
            key = NpcKey(WORLD, npc)
            await asyncio.to_thread(store.load, key, Tier.HOST)
        else:
            await contender.ask(npc, 1)


async def play(contender: Contender, calls: Sequence[str], planned: Planned | None) -> list[float]:
    """Ask; returns the times to the first token, in seconds."""
    waits = []
    async with contextlib.AsyncExitStack() as stack:
        if planned is not None:
            await stack.enter_async_context(planned.planning())
        for index, npc in enumerate(calls):
            if planned is not None:
                planned.tell(calls[index:])
            await asyncio.sleep(PAUSE_S)
            waits.append((await contender.ask(npc, REPLY_TOKENS)).ttft_s)
    return waits
