"""A round of a cell: requests between two marks, in the emulated GPU's own time."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from callsheet_bench.client import RequestError
from callsheet_bench.emulated.cells import Cell
from callsheet_bench.emulated.town import Call, Town
from callsheet_bench.forecast import Forecast
from callsheet_bench.running import RunningSglang
from callsheet_server.trace.trace import TraceCall
from callsheet_sglang.wire import (
    DISTANCES_PATH,
    STATUS_PATH,
    Distances,
    encode_distances,
    session_id,
)
from callsheet_sglang_cpu.emulated_gpu.gap import MOST_HOST_GAP

__all__ = ["HostBoundError", "Round", "greet", "play", "settle"]

LEAD_IN_S, MEASURED_S, TAIL_S = 1.3, 2.7, 0.3
"""Emulated time: until the first mark, between the marks, and for the last replies to end; times
the cell's pace."""
MOST_CALLS_PER_S = 600.0
SETTLING_CALLS = 1500
"""About as many as there are NPCs."""
TELL_EVERY_S = 0.1
"""Emulated time between updates of distances, as the server has it by default."""
GREETINGS_AT_A_TIME = 64
COUNTED = {
    "busy_s": "callsheet_emulated_busy_seconds_total",
    "host_gap_s": "callsheet_emulated_host_gap_seconds_total",
    "load_wait_s": "callsheet_emulated_load_wait_seconds_total",
    "link_s": "callsheet_emulated_link_seconds_total",
}


class HostBoundError(Exception):
    """The GPU idled for this machine's sake: the figures mean nothing. The text has the share."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One reply, in emulated seconds."""

    sent_s: float
    ttft_s: float
    queue_s: float
    prefix_tokens: int
    device_tokens: int
    host_tokens: int


@dataclass(slots=True)
class Round:
    """Measurements between the marks."""

    seconds: float
    sent: int
    """Requests that were sent between the marks: in a closed loop as many as were answered."""
    samples: list[Sample] = field(default_factory=list)
    counted: dict[str, float] = field(default_factory=dict)
    at_arrival: float | None = None
    """Share of calls of known NPCs whose prefix was on the device as they came; None = unknown."""
    iteration_ms: float | None = None
    """The plugin's mean time per scheduler iteration, in real milliseconds."""

    @property
    def figures(self) -> dict[str, float]:
        """Medians, shares and rates, by name."""
        prefix = sum(s.prefix_tokens for s in self.samples)
        device = sum(s.device_tokens for s in self.samples) / prefix
        host = sum(s.host_tokens for s in self.samples) / prefix
        ttft_ms = 1e3 * np.array([s.ttft_s for s in self.samples])
        found = {
            "replies_per_s": self.sent / self.seconds,
            "ttft_p50_ms": float(np.percentile(ttft_ms, 50)),
            "ttft_p95_ms": float(np.percentile(ttft_ms, 95)),
            "queue_ms": 1e3 * float(np.mean([s.queue_s for s in self.samples])),
            "device_share": device,
            "host_share": host,
            "miss_share": 1.0 - device - host,
            "busy_share": self.counted["busy_s"] / self.seconds,
            "load_wait_share": self.counted["load_wait_s"] / self.seconds,
            "link_share": self.counted["link_s"] / self.seconds,
            "host_gap_share": self.counted["host_gap_s"] / self.seconds,
        }
        if self.at_arrival is not None:
            found["at_arrival_share"] = self.at_arrival
        if self.iteration_ms is not None:
            found["iteration_ms"] = self.iteration_ms
        return found

    def check(self) -> None:
        """Raise ``HostBoundError`` if this machine was too slow for the emulation."""
        gap = self.counted["host_gap_s"] / self.seconds
        if gap > MOST_HOST_GAP:
            raise HostBoundError(
                f"the emulated GPU idled {gap:.0%} of the time for this machine (most that counts: "
                f"{MOST_HOST_GAP:.0%}): let nothing else run, or raise --dilation"
            )


async def greet(sglang: RunningSglang, town: Town) -> None:
    """Ask everybody once."""
    calls = iter(town.greetings())

    async def work() -> None:
        for call in calls:
            await _ask(sglang, call)

    await _together(work() for _ in range(GREETINGS_AT_A_TIME))


async def settle(
    sglang: RunningSglang, town: Town, cell: Cell, window: int, dilation: float, plugin: bool
) -> None:
    """Play what comes before a window, for the host tier to hold what it would hold there.

    Raises as ``play`` does.
    """
    calls = town.calls(cell, window, before=SETTLING_CALLS)
    before = list(itertools.islice(calls, SETTLING_CALLS))
    await _Player(sglang, town, cell, before, dilation, plugin).settle()


async def play(
    sglang: RunningSglang, town: Town, cell: Cell, window: int, dilation: float, plugin: bool
) -> Round:
    """Play a cell from window number ``window`` of the day on a system that knows everybody.

    Raises:
        ExceptionGroup: of ``RequestError`` or ``aiohttp.ClientError``.
    """
    most = MOST_CALLS_PER_S * cell.pace * (LEAD_IN_S + MEASURED_S + TAIL_S)
    calls = list(itertools.islice(town.calls(cell, window), int(most)))
    return await _Player(sglang, town, cell, calls, dilation, plugin).play()


class _Player:
    def __init__(
        self,
        sglang: RunningSglang,
        town: Town,
        cell: Cell,
        calls: Sequence[Call],
        dilation: float,
        plugin: bool,
    ) -> None:
        self._sglang, self._cell, self._dilation, self._plugin = sglang, cell, dilation, plugin
        self._stretch = cell.pace * dilation
        self._calls = calls
        first = calls[0]
        begins = TraceCall(first.time_s, first.npc, 0.0, 0)
        self._forecast = Forecast(town.trace, begins) if plugin else None
        self._speaking = [asyncio.Lock() for _ in range(town.npcs)]
        self._samples: list[Sample] = []
        self._sent_s: list[float] = []

    async def settle(self) -> None:
        calls = iter(self._calls)
        async with self._telling():
            await _together(self._ask_in_turn(calls) for _ in range(self._cell.concurrency))

    async def play(self) -> Round:
        calls = iter(self._calls)
        async with self._telling(), asyncio.TaskGroup() as group:
            if self._cell.offered_per_s is None:
                asking = [
                    group.create_task(self._ask_in_turn(calls))
                    for _ in range(self._cell.concurrency)
                ]
            else:
                asking = [group.create_task(self._offer(calls, group))]
            await asyncio.sleep(LEAD_IN_S * self._stretch)
            before, begin_s = await self._totals(), self._now_s()
            await asyncio.sleep(MEASURED_S * self._stretch)
            end_s, after = self._now_s(), await self._totals()
            await asyncio.sleep(TAIL_S * self._stretch)
            for task in asking:
                task.cancel()
        counted = {name: after[name] - before[name] for name in after}
        asked, ready = counted.pop("asked", 0.0), counted.pop("ready", 0.0)
        iterations, spent_s = counted.pop("iterations", 0.0), counted.pop("spent_s", 0.0)
        return Round(
            seconds=end_s - begin_s,
            sent=sum(begin_s <= at_s < end_s for at_s in self._sent_s),
            samples=[s for s in self._samples if begin_s <= s.sent_s < end_s],
            counted=counted,
            at_arrival=ready / asked if asked else None,
            iteration_ms=1e3 * spent_s / iterations if iterations else None,
        )

    def _now_s(self) -> float:
        return time.perf_counter() / self._dilation

    async def _ask_in_turn(self, calls: Iterable[Call]) -> None:
        for call in calls:
            await self._ask(call)

    async def _offer(self, calls: Iterable[Call], group: asyncio.TaskGroup) -> None:
        assert self._cell.offered_per_s is not None
        begin_s, tasks = self._now_s(), set[asyncio.Task[None]]()
        try:
            for number, call in enumerate(calls):
                due_s = begin_s + number / self._cell.offered_per_s
                await asyncio.sleep(max(0.0, (due_s - self._now_s()) * self._dilation))
                task = group.create_task(self._ask(call))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        finally:
            for task in tasks:
                task.cancel()

    async def _ask(self, call: Call) -> None:
        async with self._speaking[call.npc]:  # one says one thing at a time
            if self._forecast is not None:
                self._forecast.advance(call.time_s)
                self._forecast.begin_call(call.npc)
            sent_s = self._now_s()
            self._sent_s.append(sent_s)
            meta = await _ask(self._sglang, call)
            if self._forecast is not None:
                self._forecast.end_call(call.npc)
        cached = meta.get("cached_tokens_details") or {}
        device = min(int(cached.get("device", 0)), call.prefix_tokens)
        received_s = meta["request_received_ts"]
        self._samples.append(
            Sample(
                sent_s=sent_s,
                ttft_s=(meta["prefill_finished_time"] - received_s) / self._dilation,
                queue_s=(meta["forward_entry_time"] - received_s) / self._dilation,
                prefix_tokens=call.prefix_tokens,
                device_tokens=device,
                host_tokens=min(int(cached.get("host", 0)), call.prefix_tokens - device),
            )
        )

    @asynccontextmanager
    async def _telling(self) -> AsyncIterator[None]:
        if self._forecast is None:
            yield
            return
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._tell(self._forecast))
            try:
                yield
            finally:
                task.cancel()

    async def _tell(self, forecast: Forecast) -> None:
        game_begun_s, begun_s = forecast.now_s, self._now_s()
        for seq in itertools.count(1):
            now_s = self._now_s()
            speed = max((forecast.now_s - game_begun_s) / max(now_s - begun_s, 1e-3), 1.0)
            distance_s = forecast.distance_s() / np.float32(speed)
            handles = np.arange(len(distance_s), dtype=np.uint32)
            update = Distances(seq, now_s, handles, distance_s, full=True)
            async with self._sglang.http.post(
                self._sglang.url + DISTANCES_PATH, data=encode_distances(update)
            ) as answer:
                answer.raise_for_status()
            await asyncio.sleep(TELL_EVERY_S * self._dilation)

    async def _totals(self) -> dict[str, float]:
        found = await self._sglang.counters()
        totals = {name: found.get(sample, 0.0) for name, sample in COUNTED.items()}
        if self._plugin:
            counters = (await self._sglang.get_json(STATUS_PATH))["counters"]
            totals |= {
                "asked": counters["arrivals"],
                "ready": counters["arrivals_on_device"],
                "iterations": counters["iterations"],
                "spent_s": counters["iteration_s"],
            }
        return totals


async def _ask(sglang: RunningSglang, call: Call) -> dict[str, Any]:
    """Ask, and return what SGLang says about the reply. Raises ``RequestError``."""
    body = {
        "input_ids": call.input_ids,
        "session_id": session_id(call.npc),
        "sampling_params": {
            "temperature": 0.0,
            "max_new_tokens": call.reply_tokens,
            "ignore_eos": True,
        },
    }
    async with sglang.http.post(
        f"{sglang.url}/generate",
        data=orjson.dumps(body),
        headers={"Content-Type": "application/json"},
    ) as answer:
        text = await answer.read()
    meta = orjson.loads(text).get("meta_info") if answer.status == 200 else None
    if not meta or meta["completion_tokens"] != call.reply_tokens:
        raise RequestError(f"npc {call.npc}: {answer.status} {text[:300]!r}")
    return dict(meta)


async def _together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for work in works:
            tasks.create_task(work)
