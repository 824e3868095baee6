"""CPU that a cluster of one replica spends per token, against the engine for one SGLang.

The replica is the tests' fake SGLang. Both engines talk to it in turns, in this process, and this
process's CPU time counts: prompt, sockets, parsing, books.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from pathlib import Path

from callsheet_bench.cluster.failover import FakeReplica
from callsheet_server.engine.cluster.engine import ClusterEngine
from callsheet_server.engine.engine import Engine, GenerationEnd, GenerationRequest, NpcProfile
from callsheet_server.engine.sglang.engine import SglangEngine
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Turn
from callsheet_sglang.launch.spec import free_port

__all__ = ["measure"]

TALKS = 32
REPLIES = 5
"""Of each talk, in one turn."""
WORLD = "town"


async def measure(model: Path, rounds: int) -> float:
    """Return the median ratio of CPU per token, cluster to one engine, over rounds."""
    replica = FakeReplica(model, free_port())
    settings = SglangSettings(urls=(replica.url,))
    engines: tuple[Engine, Engine] = SglangEngine(settings), ClusterEngine(settings)
    try:
        await replica.start(slots=TALKS, token_s=0.0)
        for engine in engines:
            await engine.start(lambda _: None)
            for npc in range(TALKS):
                key = NpcKey(WORLD, f"npc-{npc}")
                engine.put_npc(NpcProfile(key, key.npc, "A baker."))
            await _turn(engine, "warm")
        ratios = []
        for number in range(rounds):
            order = engines if number % 2 else engines[::-1]
            cost = {engine: await _turn(engine, str(number)) for engine in order}
            ratios.append(cost[engines[1]] / cost[engines[0]])
        return statistics.median(ratios)
    finally:
        for engine in engines:
            await engine.close()
        await replica.stop()


async def _turn(engine: Engine, name: str) -> float:
    """Talk; return the CPU seconds per token."""
    serial = itertools.count()

    async def talk(npc: int) -> int:
        tokens = 0
        for _ in range(REPLIES):
            turns = (Turn("Anna", "Hello?"),)
            request = GenerationRequest(
                f"{name}-{next(serial)}", NpcKey(WORLD, f"npc-{npc}"), turns
            )
            async for item in engine.submit(request):
                if isinstance(item, GenerationEnd):
                    tokens += item.generated_tokens
        return tokens

    before_s = time.process_time()
    tokens = sum(await asyncio.gather(*map(talk, range(TALKS))))
    return (time.process_time() - before_s) / tokens
