"""Two real replicas on this CPU, and every contender's day on them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import aiohttp
import numpy as np
from transformers import AutoTokenizer

from callsheet_bench.cluster.real.contenders import (
    Contender,
    OurCluster,
    Routed,
    RouterClient,
    ThroughRouter,
)
from callsheet_bench.cluster.real.day import CONTEXT_TOKENS, SPEED, Day, make_day
from callsheet_bench.cluster.real.routes import ConsistentHash, LeastLoaded, RoundRobin, Route
from callsheet_bench.cluster.real.sglang_router import NAME as ROUTER
from callsheet_bench.cluster.real.sglang_router import RouterMissingError, install, routing
from callsheet_bench.cluster.real.tiny_llama import save_tiny_llama
from callsheet_bench.running import RunningSglang
from callsheet_residency.state import Tier
from callsheet_server.engine.cluster.engine import ClusterEngine
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.sglang.peer import Peer, meet
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_sglang.launch.spec import LaunchSpec, free_port

__all__ = ["OURS", "Played", "Sizes", "Skipped", "measure"]

REPLICAS: Final = 2
PUBLISH_S: Final = 0.2
OURS: Final = "Callsheet's cluster"
ROUTES: Final[dict[str, Callable[[int], Route]]] = {
    "round robin": RoundRobin,
    "least loaded": LeastLoaded,
    "consistent hash": ConsistentHash,
}
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Size of the bench."""

    npcs: int = 60
    seconds: float = 120.0
    """Of the town's time."""
    held: float = 0.5
    """Part of the NPCs' prefixes that the pools of both replicas hold."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Played:
    """A contender's day."""

    contender: str
    plugin: bool
    replies: int
    prompt_tokens: int
    computed_tokens: int
    """Of the prompts, while somebody waited."""
    device_hits: int
    """Replies to whom the whole prefix lay on the device."""
    all_computed_tokens: int
    """As the replicas count them, what was computed ahead included."""
    busier: float
    """The busier replica's part of all prompt tokens."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A contender that is not here."""

    contender: str
    why: str


async def measure(python: Path, folder: Path, sizes: Sizes) -> AsyncIterator[Played | Skipped]:
    """Play the day of each contender, first those with the plugin.

    Args:
        python: interpreter that has SGLang.
        folder: for model and logs.
        sizes: see above.

    Raises:
        StartError: an SGLang did not come up.
    """
    model = folder / "tiny-llama"
    save_tiny_llama(model, CONTEXT_TOKENS)
    day = make_day(model, sizes.npcs, sizes.seconds, sizes.seed)
    try:
        router = await asyncio.to_thread(install)
    except RouterMissingError as error:
        router = None
        yield Skipped(ROUTER, str(error))
    for plugin in (True, False):
        pool_tokens = round(sum(day.prefix_tokens) * sizes.held / REPLICAS)
        spec = LaunchSpec(
            python=python,
            model=model,
            port=0,
            device="cpu",
            context_tokens=CONTEXT_TOKENS,
            pool_tokens=pool_tokens,
            page_tokens=1,
            host_ratio=None,
            plugin=plugin,
            priorities=True,
            log_level="warning",
        )
        async with _started(spec, folder) as (replicas, peers):
            if plugin:
                yield await _ours(day, replicas)
            for name, route in ROUTES.items():
                contender = Routed(day, peers, route(REPLICAS))
                yield await _play(name, plugin, contender, day, replicas)
            if router is not None:
                yield await _through_router(router, plugin, day, replicas, peers, folder)


async def _ours(day: Day, replicas: Sequence[RunningSglang]) -> Played:
    engine = ClusterEngine(SglangSettings(urls=tuple(replica.url for replica in replicas)))
    await engine.start(lambda _: None)
    return await _play(OURS, True, OurCluster(engine, day), day, replicas)


async def _through_router(
    program: Path,
    plugin: bool,
    day: Day,
    replicas: Sequence[RunningSglang],
    peers: Sequence[Peer],
    folder: Path,
) -> Played | Skipped:
    tokenizer = AutoTokenizer.from_pretrained(peers[0].tokenizer)
    urls = [replica.url for replica in replicas]
    try:
        async with routing(program, urls, folder / "router.log") as url:
            client = RouterClient(url, lambda tokens: str(tokenizer.decode(list(tokens))))
            try:
                contender = ThroughRouter(day, peers, client)
                return await _play(ROUTER, plugin, contender, day, replicas)
            finally:
                await client.close()
    except RouterMissingError as error:
        return Skipped(ROUTER, str(error))


@asynccontextmanager
async def _started(
    spec: LaunchSpec, folder: Path
) -> AsyncIterator[tuple[Sequence[RunningSglang], Sequence[Peer]]]:
    """Start the replicas, all at once."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )

        async def start(number: int) -> RunningSglang:
            name = f"replica {number}, plugin={spec.plugin}"
            own = replace(spec, port=free_port())
            log = folder / f"{name}.log"
            replica = await RunningSglang.start(name, own, ONE_THREAD, log, http)
            stack.push_async_callback(replica.stop)
            return replica

        replicas = await asyncio.gather(*(start(number) for number in range(REPLICAS)))
        peers = []
        for replica in replicas:
            server = ModelServer(replica.name, replica.url)
            stack.push_async_callback(server.close)
            peers.append(await meet(server, CONTEXT_TOKENS))
        yield replicas, peers


async def _play(
    name: str, plugin: bool, contender: Contender, day: Day, replicas: Sequence[RunningSglang]
) -> Played:
    for replica in replicas:
        await replica.flush()
    before = [await replica.counters() for replica in replicas]
    begun_s = time.monotonic()

    async def publish() -> None:
        while True:
            await contender.publish(day.distance_s(time.monotonic() - begun_s))
            await asyncio.sleep(PUBLISH_S)

    publishing = asyncio.create_task(publish())
    try:
        async with asyncio.TaskGroup() as group:
            asks = []
            for number, at_s in enumerate(day.calls.at_s.tolist()):
                await asyncio.sleep(max(0.0, begun_s + at_s / SPEED - time.monotonic()))
                asks.append(group.create_task(contender.ask(number)))
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        await contender.leave()
    ends = [ask.result() for ask in asks]
    after = [await replica.counters() for replica in replicas]

    def counted(counter: str) -> list[float]:
        return [
            b.get(counter, 0.0) - a.get(counter, 0.0) for a, b in zip(before, after, strict=True)
        ]

    prompt_tokens = counted("sglang:prompt_tokens_total")
    cached_tokens = counted("sglang:cached_tokens_total")
    return Played(
        contender=name,
        plugin=plugin,
        replies=len(ends),
        prompt_tokens=sum(end.prompt_tokens for end in ends),
        computed_tokens=sum(end.prompt_tokens - end.cached_tokens for end in ends),
        device_hits=sum(end.tier_at_start is Tier.DEVICE for end in ends),
        all_computed_tokens=round(sum(prompt_tokens) - sum(cached_tokens)),
        busier=float(np.max(prompt_tokens) / np.sum(prompt_tokens)),
    )
