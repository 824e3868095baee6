"""Systems side by side: each started once, every round played on all of them in turn."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import aiohttp
from tokenizers import Tokenizer

from callsheet_bench.client import ask
from callsheet_bench.figures import figures_of_round
from callsheet_bench.gpu_link import Pair
from callsheet_bench.overhead import ordinary_traffic
from callsheet_bench.plan import OVERHEAD, OVERHEAD_SYSTEMS, TOWN, Stage, Table
from callsheet_bench.running import RunningSglang
from callsheet_bench.store import Store
from callsheet_bench.systems import HORIZON_S, SYSTEMS, Pool, Sizes, System
from callsheet_bench.trace_player import Distancing, play, warm_up
from callsheet_bench.workload import TownWorkload
from callsheet_sglang.launch.spec import LaunchSpec, free_port

__all__ = ["Bench", "estimate_s", "play_stage", "rotated", "started"]

REQUEST_TIMEOUT_S = 600.0
PREFILL, DECODE = "prefill_tokens_per_s", "decode_tokens_per_s"
LINK = "link_bytes_per_s"
"""Facts in the store: this machine's rates, and the link emulated because of the first."""
CALIBRATIONS = 3
DECODE_STEPS = 16
STARTS_AT_A_TIME = 2
"""Most of a start is one thread that imports."""

ReportProgress = Callable[[str, float], None]
"""Takes the work at hand, and the estimated seconds done since the last call."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Settings that all stages share."""

    python: Path
    model: Path
    kv_bytes_per_token: int
    tokenizer: Tokenizer
    store: Store
    rounds: int
    prompts: int
    """Prompts of each round of ordinary traffic."""
    pair: Pair
    logs: Path
    report: ReportProgress


def rotated(names: Sequence[str], round_number: int) -> list[str]:
    """The order of a round: another system goes first in each."""
    at = round_number % len(names)
    return [*names[at:], *names[:at]]


OVERHEAD_S = 45.0
START_S, TOKEN_S, TOKENS_PER_S = 20.0, 0.05, 480.0
ASKED_SHARE, EXPECTED_SHARE = 0.3, 0.6
"""Rough shares of everybody: those a round asks, and those the plugin may prefetch."""
EXPECTED_WITHIN_S = 2.0 * HORIZON_S
"""Game time, which in a replay passes at less than twice the speed of the plugin's clock."""


def estimate_s(stage: Stage, rounds: int) -> float:
    """About how long a stage takes on a quiet machine of two cores."""
    systems = {name for table in stage.tables for name in table.systems}
    seconds = 0.0
    if stage.overhead:
        systems |= set(OVERHEAD_SYSTEMS)
        seconds += rounds * len(OVERHEAD_SYSTEMS) * OVERHEAD_S
    warm = sum(
        EXPECTED_SHARE if SYSTEMS[name].plugin else ASKED_SHARE
        for name in systems
        if SYSTEMS[name].host_tier or SYSTEMS[name].pool is Pool.ALL
    )
    largest = max(
        (table.town.npcs * sum(table.town.persona_tokens) / 2 for table in stage.tables), default=0
    )
    seconds += START_S * len(systems) + warm * largest / TOKENS_PER_S
    return seconds + sum(rounds * _round_s(table, name) for table in stage.tables
                         for name in table.systems)  # fmt: skip


def _round_s(table: Table, name: str) -> float:
    town, system = table.town, SYSTEMS[name]
    missed = 0.0 if system.host_tier or system.pool is Pool.ALL else 0.7
    miss_s = missed * sum(town.persona_tokens) / 2 / TOKENS_PER_S
    greeted_s = missed * (town.device_tokens or 0) / TOKENS_PER_S
    asked = town.requests + town.lead_in
    return 2.0 + greeted_s + asked * (town.reply_tokens * TOKEN_S + miss_s)


@asynccontextmanager
async def started(
    bench: Bench, name: str, spec: LaunchSpec, extra: Mapping[str, str]
) -> AsyncIterator[RunningSglang]:
    """Run one SGLang while the block runs. Raises ``StartError``."""
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
    no_limit = aiohttp.TCPConnector(limit=0)  # no request waits for a connection
    async with aiohttp.ClientSession(connector=no_limit, timeout=timeout) as http:
        bench.report(f"starting {name}", 0.0)
        running = await RunningSglang.start(name, spec, extra, bench.logs / f"{name}.log", http)
        bench.report(f"{name} runs", START_S)
        try:
            yield running
        finally:
            await running.stop()


async def play_stage(bench: Bench, stage: Stage) -> None:
    """Measure every round of the stage's tables that the store does not have.

    Raises:
        StartError: an SGLang did not come up, or is gone.
        ExceptionGroup: of ``RequestError`` or ``aiohttp.ClientError``.
    """
    wanted = {table.name: table.systems for table in stage.tables}
    if stage.overhead:
        wanted[OVERHEAD] = OVERHEAD_SYSTEMS
    left = {table for table, names in wanted.items() if _rounds_left(bench, table, names)}
    if not left:
        bench.report(f"{stage.name}: measured before", estimate_s(stage, bench.rounds))
        return
    bench.report(f"{stage.name}: making towns", 0.0)
    towns = {table.name: TownWorkload(table.town, bench.tokenizer) for table in stage.tables}
    shapes = [*towns.values()] or [TownWorkload(TOWN, bench.tokenizer)]  # ordinary traffic alone
    names = [name for name in SYSTEMS if any(name in wanted[table] for table in left)]
    sizes = sizes_for(shapes, bench.rounds)
    async with AsyncExitStack() as stack:
        run = _Stage(bench, sizes, stack)
        await run.start(names, shapes[0])
        for table in stage.tables:
            if table.name in left:
                await run.play(table, towns[table.name])
        if OVERHEAD in left:
            await run.play_overhead()


def sizes_for(towns: Sequence[TownWorkload], rounds: int) -> Sizes:
    """Pools for towns that are played in the same processes."""
    largest = max(towns, key=lambda town: town.prefix_tokens)
    spec = largest.spec
    small = towns[0].spec.device_tokens or towns[0].pool_tokens(0.25)
    turn = spec.question_tokens + spec.reply_tokens
    said = turn * sum((t.spec.requests + t.spec.lead_in) * rounds for t in towns)
    longest = max(len(ids) for town in towns for ids in town.persona_ids)
    return Sizes(
        small_tokens=small,
        all_tokens=largest.pool_tokens(1.0) + turn * spec.npcs + said,
        context_tokens=spec.world_tokens + longest + turn + 64,
    )


def _rounds_left(bench: Bench, table: str, systems: Sequence[str]) -> bool:
    return any(
        not bench.store.has(table, name, number)
        for number in range(bench.rounds)
        for name in systems
    )


class _Stage:
    """The systems of one stage while they run."""

    def __init__(self, bench: Bench, sizes: Sizes, stack: AsyncExitStack) -> None:
        self._bench = bench
        self._sizes = sizes
        self._stack = stack
        self._running: dict[str, RunningSglang] = {}
        self._distancing: dict[str, Distancing] = {}
        self._known: dict[str, set[int]] = {name: set() for name in SYSTEMS}
        """System -> the people it has met."""

    async def start(self, names: Sequence[str], town: TownWorkload) -> None:
        """Start the systems; the first one tells how fast this machine computes prefixes."""
        rest = list(names)
        if self._bench.store.fact(LINK) is None:
            first = next(name for name in rest if not SYSTEMS[name].link)
            rest.remove(first)
            await self._start(first)
            await self._calibrate(self._running[first], town)
        for at in range(0, len(rest), STARTS_AT_A_TIME):
            await asyncio.gather(*map(self._start, rest[at : at + STARTS_AT_A_TIME]))

    async def _start(self, name: str) -> None:
        bench, system = self._bench, SYSTEMS[name]
        link = float(bench.store.fact(LINK) or "inf")
        spec = system.launch(bench.python, bench.model, free_port(), self._sizes)
        running = await self._stack.enter_async_context(
            started(bench, name, spec, system.environment(link))
        )
        self._running[name] = running
        if system.plugin:
            self._distancing[name] = Distancing(running)

    async def play(self, table: Table, town: TownWorkload) -> None:
        """Warm up, then play the rounds that are missing."""
        bench = self._bench
        bench.store.add_fact(f"town {table.name}", _facts(town, self._sizes))
        for name in table.systems:
            await self._warm_up(SYSTEMS[name], town)
        for number in range(bench.rounds):
            for name in rotated(table.systems, number):
                if not bench.store.has(table.name, name, number):
                    await self._round(table, town, name, number)

    async def play_overhead(self) -> None:
        """Ordinary traffic with and without the plugin, in pairs of rounds."""
        bench = self._bench
        for number in range(bench.rounds):
            for name in rotated(OVERHEAD_SYSTEMS, number):
                if not bench.store.has(OVERHEAD, name, number):
                    bench.report(f"{OVERHEAD}: round {number + 1} of {bench.rounds}, {name}", 0.0)
                    figures = await ordinary_traffic(
                        self._running[name], bench.model, bench.prompts, number
                    )
                    bench.store.add_round(OVERHEAD, name, number, figures)
                    bench.report("", OVERHEAD_S)

    async def _round(self, table: Table, town: TownWorkload, name: str, number: int) -> None:
        bench = self._bench
        bench.report(f"{table.name}: round {number + 1} of {bench.rounds}, {name}", 0.0)
        load = os.getloadavg()[0]
        running, pool = self._running[name], SYSTEMS[name].pool
        pool_tokens = self._sizes.device_tokens(pool)
        if pool is not Pool.ALL and town.fits(pool_tokens):  # it would hold the last round's
            held = town.called_before(pool_tokens)
            await warm_up(running, town.warm_up(held), concurrency=1)  # LRU's order is theirs
        result = await play(running, town, f"{table.name} {number}", self._distancing.get(name))
        figures = figures_of_round(result) | {"load_average_before": load}
        bench.store.add_round(table.name, name, number, figures)
        bench.report("", _round_s(table, name))

    async def _warm_up(self, system: System, town: TownWorkload) -> None:
        """Introduce those whom the system can remember, and who make a difference.

        The plugin is to know whom it may want to prefetch. Where nobody is brought without being
        asked for, and nobody is forgotten, only those asked count.
        """
        if not system.host_tier and system.pool is not Pool.ALL:
            return  # it would forget them at once
        known = self._known[system.name]
        met = town.expected(EXPECTED_WITHIN_S) if system.plugin else town.called
        new = [row for row in met if row not in known]
        if new:
            self._bench.report(f"{system.name}: {len(new)} people speak once", 0.0)
            await warm_up(self._running[system.name], town.warm_up(new), town.spec.concurrency)
            known.update(new)
            self._bench.report("", _tokens(town, new) / TOKENS_PER_S)

    async def _calibrate(self, running: RunningSglang, town: TownWorkload) -> None:
        """Measure prefill and decode of one at a time, and derive the link from prefill."""
        bench, prefill, decode = self._bench, [], []
        for greeting in town.warm_up(range(CALIBRATIONS + 1)):
            request = replace(greeting, reply_tokens=1 + DECODE_STEPS)
            sample = await ask(running.http, running.url, request)
            computed = len(request.input_ids) - sample.device_tokens - sample.host_tokens
            prefill.append(computed / sample.prefill_s)
            decode.append(DECODE_STEPS / sample.decode_s)
        rate = median(prefill[1:])  # the first one also paid for page faults
        bench.store.add_fact(PREFILL, rate)
        bench.store.add_fact(DECODE, median(decode[1:]))
        bench.store.add_fact(LINK, bench.pair.emulated_bytes_per_s(bench.kv_bytes_per_token, rate))
        await running.flush()


def _tokens(town: TownWorkload, rows: Iterable[int]) -> int:
    return sum(len(town.persona_ids[row]) for row in rows)


def _facts(town: TownWorkload, sizes: Sizes) -> dict[str, float]:
    return {
        "npcs": town.spec.npcs,
        "prefix_tokens": town.prefix_tokens,
        "device_pool_tokens": sizes.small_tokens,
        "requests": town.spec.requests,
        "random_share": town.spec.random_share,
        "calls_per_game_s": town.calls_per_game_s,
        "lru_hit_share": town.lru_share,
        "lru_hit_share_of_the_day": town.day_lru_share,
        "foreseen_share": town.foreseen_share,
        "foreseen_share_of_the_day": town.day_foreseen_share,
    }
