"""A round: the same requests in the same order, a fixed number of them at a time.

Whoever ends first makes room for the next, so replies a second tell what a system can do. Game time
follows the requests: as one is sent, it is as late in the game as the request is in the trace. A
fast system therefore plays the game faster, and has less real time between a forecast and the call
it foresaw. Distances go to the plugin beside the requests, at the server's interval.

Where it is not the speed that is measured, a round can be played in the game's own time instead: no
request is sent before it is due.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

import numpy as np

from callsheet_bench.client import Sample, ask
from callsheet_bench.forecast import Forecast
from callsheet_bench.running import RunningSglang
from callsheet_bench.workload import Request, TownWorkload
from callsheet_sglang.wire import DISTANCES_PATH, Distances, encode_distances

__all__ = ["COUNTERS", "Adapters", "Distancing", "RoundResult", "Totals", "play", "warm_up"]

COUNTERS = {
    "loaded_bytes": "sglang:load_back_bytes_total",
    "written_bytes": "sglang:hicache_backup_bytes_total",
    "load_wait_s": "callsheet_load_wait_request_seconds_total",
}
"""Samples read from /metrics: our name -> sample."""
SETTLE_S = 0.3
"""Pause before and after a round: loads end, and the counters catch up."""
TELL_EVERY_S = 0.1
"""As ``engine.sglang.timing.Timing.distance_interval_s`` has it by default."""
SPEED_PRIOR_S = 5.0
"""Before a round has shown its speed, one game second per second is assumed, with this weight."""

Adapters = Callable[[int], str | None]
"""NPC -> name of its adapter."""
Totals = Callable[[], Awaitable[Mapping[str, float]]]
"""Reads totals that only grow."""


async def _nothing() -> Mapping[str, float]:
    return {}


@dataclass(frozen=True, slots=True)
class RoundResult:
    """Measurements of a round."""

    samples: tuple[Sample, ...]
    wall_s: float
    cpu_s: float
    """CPU time of the scheduler's process."""
    game_s: float
    counted: dict[str, float]
    """Increase of each counter, by the names of ``COUNTERS`` and of the others counted."""


class Distancing:
    """Tells a system's plugin the distances of a town, as the server's feed does: in real time.

    A game runs at one game second per second. A replay runs as fast as the replies come, so game
    seconds are divided by the speed that the round has had so far.
    """

    def __init__(self, sglang: RunningSglang) -> None:
        self._sglang = sglang
        self._seq = itertools.count(1)

    @asynccontextmanager
    async def telling(self, forecast: Forecast) -> AsyncIterator[None]:
        """Tell everybody's distance again and again while the block runs.

        Raises:
            ExceptionGroup: of ``aiohttp.ClientError``.
        """
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._tell(forecast))
            try:
                yield
            finally:
                task.cancel()

    async def _tell(self, forecast: Forecast) -> None:
        game_begun_s, begun_s = forecast.now_s, time.monotonic()
        while True:
            now_s = time.monotonic()
            played_s = forecast.now_s - game_begun_s + SPEED_PRIOR_S
            speed = played_s / (now_s - begun_s + SPEED_PRIOR_S)
            distance_s = forecast.distance_s() / np.float32(speed)
            handles = np.arange(len(distance_s), dtype=np.uint32)
            update = Distances(next(self._seq), now_s, handles, distance_s, full=True)
            async with self._sglang.http.post(
                self._sglang.url + DISTANCES_PATH, data=encode_distances(update)
            ) as answer:
                answer.raise_for_status()
            await asyncio.sleep(TELL_EVERY_S)


async def warm_up(
    sglang: RunningSglang,
    requests: Iterable[Request],
    concurrency: int,
    adapters: Adapters = lambda _: None,
) -> None:
    """Ask everybody once, so that a host tier knows them all."""
    slots = asyncio.Semaphore(concurrency)

    async def one(request: Request) -> None:
        async with slots:
            await ask(sglang.http, sglang.url, request, adapters(request.row))

    async with asyncio.TaskGroup() as tasks:
        for request in requests:
            tasks.create_task(one(request))


async def play(
    sglang: RunningSglang,
    town: TownWorkload,
    label: str,
    distancing: Distancing | None,
    adapters: Adapters = lambda _: None,
    in_game_time: bool = False,
    also: Totals = _nothing,
) -> RoundResult:
    """Play a round.

    Args:
        sglang: the system, idle.
        town: what is asked.
        label: makes the questions new.
        distancing: None = the system is told no distances.
        adapters: who speaks with which adapter.
        in_game_time: send no request before it is due, one game second being one second.
        also: what to count beside ``COUNTERS``.

    Raises:
        ExceptionGroup: of ``RequestError`` or ``aiohttp.ClientError``.
    """
    turn = _Round(sglang, town, distancing, adapters, also)
    await asyncio.sleep(SETTLE_S)
    return await turn.play(list(town.requests(label)), in_game_time)


class _Round:
    def __init__(
        self,
        sglang: RunningSglang,
        town: TownWorkload,
        distancing: Distancing | None,
        adapters: Adapters,
        also: Totals,
    ) -> None:
        self._sglang = sglang
        self._town = town
        self._distancing = distancing
        self._adapters = adapters
        self._also = also
        self._forecast = Forecast(town.trace, town.calls[0]) if distancing else None
        self._slots = asyncio.Semaphore(town.spec.concurrency)
        self._speaking = [asyncio.Lock() for _ in range(town.spec.npcs)]
        self._samples: list[Sample] = []

    async def play(self, requests: list[Request], in_game_time: bool) -> RoundResult:
        lead_in = self._town.spec.lead_in
        starts_at_s = time.monotonic() - requests[0].time_s
        before, cpu_s, begun_s = await self._counters(), 0.0, 0.0
        async with self._telling(), asyncio.TaskGroup() as tasks:
            for request in requests:
                if in_game_time:
                    await self._pass_time(starts_at_s, request.time_s)
                await self._slots.acquire()
                await self._speaking[request.row].acquire()  # one says one thing at a time
                if request.index == lead_in:
                    before = await self._counters()
                    cpu_s, begun_s = self._sglang.scheduler_cpu_s(), time.perf_counter()
                if self._forecast is not None:
                    self._forecast.advance(request.time_s)
                tasks.create_task(self._ask(request, measured=request.index >= lead_in))
        wall_s = time.perf_counter() - begun_s
        cpu_s = self._sglang.scheduler_cpu_s() - cpu_s
        await asyncio.sleep(SETTLE_S)
        after = await self._counters()
        return RoundResult(
            samples=tuple(self._samples),
            wall_s=wall_s,
            cpu_s=cpu_s,
            game_s=requests[-1].time_s - requests[lead_in].time_s,
            counted={name: after[name] - before[name] for name in after},
        )

    async def _pass_time(self, starts_at_s: float, until_s: float) -> None:
        """Let the game go on until it is as late as this; it may be later already.

        Args:
            starts_at_s: when game time was 0, on the monotonic clock.
            until_s: game time.
        """
        while (left_s := starts_at_s + until_s - time.monotonic()) > 0.0:
            if self._forecast is not None:
                self._forecast.advance(until_s - left_s)
            await asyncio.sleep(min(left_s, TELL_EVERY_S))

    def _telling(self) -> AbstractAsyncContextManager[None]:
        if self._distancing is None or self._forecast is None:
            return nullcontext()
        return self._distancing.telling(self._forecast)

    async def _ask(self, request: Request, measured: bool) -> None:
        if self._forecast is not None:
            self._forecast.begin_call(request.row)
        try:
            adapter = self._adapters(request.row)
            sample = await ask(self._sglang.http, self._sglang.url, request, adapter)
        finally:
            if self._forecast is not None:
                self._forecast.end_call(request.row)
            self._speaking[request.row].release()
            self._slots.release()
        if measured:
            self._samples.append(sample)

    async def _counters(self) -> dict[str, float]:
        found = await self._sglang.counters()
        totals = {name: found.get(sample, 0.0) for name, sample in COUNTERS.items()}
        return {**totals, **await self._also()}
