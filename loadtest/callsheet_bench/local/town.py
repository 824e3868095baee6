"""A town of sixty with device room for a quarter: time to first token.

Somebody is asked, answers, and is asked once more; then it is somebody else's turn. Ours is told,
as a game tells it by positions and schedules, about when each will be asked next: the true time,
off by a factor that is log-normal with a sigma of 0.5. It moves prefixes while others speak, in
the same turn and on the same cores that are measured.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import numpy as np

from callsheet_bench.local.cast import REPLY_TOKENS, WORLD
from callsheet_bench.local.contenders import Contender, Engined
from callsheet_bench.local.planned import Planned
from callsheet_residency.state import Tier
from callsheet_server.world.key import NpcKey

__all__ = ["CALL_S", "NPCS", "ROOM_NPCS", "calls_of_round", "play", "prepare"]

TOWN = 60
ROOM_NPCS = TOWN // 4
NPCS = [f"towns-{number}" for number in range(TOWN)]
ASKED_IN_A_ROW = 2
CALL_S = 1.0
"""Assumed time from one call to the next."""
PAUSE_S = 0.3
"""Time between two calls: a player reads."""


def calls_of_round(number: int, visits: int) -> list[str]:
    """Draw who is asked, in order, in a round."""
    rng = np.random.default_rng(number)
    chosen = rng.choice(TOWN, size=visits, replace=False)
    return [NPCS[index] for index in chosen for _ in range(ASKED_IN_A_ROW)]


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
            if planned is not None:
                planned.demand(npc)
            waits.append((await contender.ask(npc, REPLY_TOKENS)).ttft_s)
    return waits
