"""Replicas killed under load, again and again: what does anybody notice?

The replicas are processes of the tests' fake SGLang, killed with SIGKILL and started again; the
engine, its health checks and its sockets are the real ones.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np

from callsheet_server.engine.cluster.engine import ClusterEngine
from callsheet_server.engine.engine import Delta, GenerationRequest, NpcProfile
from callsheet_server.engine.errors import EngineError, EngineUnavailableError
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.engine.sglang.timing import Timing
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Turn
from callsheet_sglang.launch.spec import free_port

__all__ = ["FAKE", "Failover", "FakeReplica", "measure"]

FAKE = Path(__file__).parents[3] / "tests" / "engine" / "fake_sglang.py"
REPLICAS = 3
NPCS = 60
TALKS = 24
SLOTS = 4
"""Requests that a replica runs at a time: half of the talks wait."""
TOKEN_S = 0.02
PATIENCE_S = 120.0
"""Longest wait for a replica to be lost, or back."""
LOOK_S = 0.002
WORLD = "town"


@dataclass(slots=True)
class Failover:
    """Counts of what was seen; every ask is in exactly one of them."""

    kills: int = 0
    answered: int = 0
    streaming_lost: int = 0
    """Replies that broke off with engine_unavailable after their first word."""
    unseen_lost: int = 0
    """Asks that failed without a word: somebody noticed who was not streaming."""
    other_errors: Counter[str] = field(default_factory=Counter)
    answered_twice: int = 0
    noticed_s: list[float] = field(default_factory=list)
    """Kill to the replica's being declared lost."""
    rehomed_s: list[float] = field(default_factory=list)
    """Kill to nobody's being at home there any more."""


async def measure(model: Path, kills: int, seed: int = 0) -> Failover:
    """Kill a random replica under load, so many times.

    Args:
        model: folder with a tokenizer.
        kills: see above.
        seed: of whom is killed when.
    """
    found, draw = Failover(), random.Random(seed)
    async with AsyncExitStack() as stack:
        replicas = [FakeReplica(model, free_port()) for _ in range(REPLICAS)]
        for replica in replicas:
            stack.push_async_callback(replica.stop)
            await replica.start()
        settings = SglangSettings(urls=tuple(replica.url for replica in replicas))
        engine = ClusterEngine(settings, Timing(restart_min_s=0.1, restart_max_s=0.5))
        stack.push_async_callback(engine.close)
        await engine.start(lambda _: None)
        npcs = tuple(f"npc-{number}" for number in range(NPCS))
        for npc in npcs:
            engine.put_npc(NpcProfile(NpcKey(WORLD, npc), npc, "A baker."))
        engine.publish(WORLD, npcs, np.linspace(0.0, 120.0, NPCS, dtype=np.float32))
        serial = itertools.count()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as talks:
            for talk in range(TALKS):
                talks.create_task(_talk(engine, npcs[talk::TALKS], serial, stop, found))
            for _ in range(kills):
                await asyncio.sleep(draw.uniform(0.2, 0.6))
                number = draw.randrange(REPLICAS)
                await _kill(engine, number, replicas[number], found)
            stop.set()
        engine.check_integrity()
    return found


async def _talk(
    engine: ClusterEngine,
    npcs: tuple[str, ...],
    serial: itertools.count[int],
    stop: asyncio.Event,
    found: Failover,
) -> None:
    for npc in itertools.cycle(npcs):
        if stop.is_set():
            return
        turns = (Turn("Anna", "Hello?"),)
        request = GenerationRequest(f"ask-{next(serial)}", NpcKey(WORLD, npc), turns)
        words = ends = 0
        try:
            async with aclosing(engine.submit(request)) as items:
                async for item in items:
                    if isinstance(item, Delta):
                        words += 1
                    else:
                        ends += 1
        except EngineUnavailableError:
            if words:
                found.streaming_lost += 1
            else:
                found.unseen_lost += 1
        except EngineError as error:
            found.other_errors[f"{type(error).__name__}: {error}"] += 1
        else:
            found.answered += 1
            found.answered_twice += ends != 1


async def _kill(engine: ClusterEngine, number: int, replica: FakeReplica, found: Failover) -> None:
    killed_s = time.perf_counter()
    replica.kill()
    found.kills += 1
    await _until(lambda: engine.occupancy().replicas[number].state == "lost")
    found.noticed_s.append(time.perf_counter() - killed_s)
    await _until(lambda: engine.occupancy().replicas[number].npcs == 0)
    found.rehomed_s.append(time.perf_counter() - killed_s)
    await replica.start()
    await _until(lambda: engine.occupancy().replicas[number].state == "serving")


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(LOOK_S)


class FakeReplica:
    """A fake SGLang in a process of its own."""

    def __init__(self, model: Path, port: int) -> None:
        self._command = (sys.executable, str(FAKE), "--port", str(port), "--model-path", str(model))
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"http://127.0.0.1:{port}"

    async def start(self, slots: int = SLOTS, token_s: float = TOKEN_S) -> None:
        """Start it, and wait until it answers."""
        await self.stop()
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stderr=asyncio.subprocess.DEVNULL,
        )
        behaviour = {"slots": slots, "token_s": token_s}
        async with aiohttp.ClientSession() as http, asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    async with http.post(f"{self.url}/fake", json=behaviour):
                        return
                except aiohttp.ClientError:
                    await asyncio.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)

    async def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            self._process = None
