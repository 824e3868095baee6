"""Adapters and slots: how often a request waits for its adapter, by LRU and by distance."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from callsheet_bench.adapters import save_adapters
from callsheet_bench.figures import figures_of_round
from callsheet_bench.plan import ADAPTER_SLOTS, LORA, LORA_SYSTEMS, LORA_TOWN
from callsheet_bench.running import RunningSglang
from callsheet_bench.stage import Bench, rotated, started
from callsheet_bench.systems import KV_ARGUMENTS
from callsheet_bench.trace_player import Distancing, play, warm_up
from callsheet_bench.workload import TownWorkload
from callsheet_sglang.launch.spec import LaunchSpec, free_port
from callsheet_sglang.wire import NPCS_PATH, STATUS_PATH, encode_adapters
from callsheet_sglang_cpu.attention import CPU_ATTENTION

__all__ = ["estimate_s", "play_lora"]

ROUND_S = 50.0
COUNTED = {
    "critical_swaps_per_reply": ("adapter_critical_loads", "adapter_late_loads"),
    "prefetched_swaps_per_reply": ("adapter_prefetched_loads",),
}
"""Figure -> counters of the plugin's status, to be added up."""


def estimate_s(rounds: int) -> float:
    """About how long this takes on a quiet machine of two cores."""
    return len(LORA_SYSTEMS) * (60.0 + rounds * ROUND_S)


async def play_lora(bench: Bench, folder: Path, small: bool) -> None:
    """Measure the rounds that the store does not have.

    Both systems have the plugin, which counts; with "lru" it leaves the slots to SGLang's policy.

    Args:
        bench: what all stages share.
        folder: for the adapters.
        small: fewer people, to see that it works.

    Raises:
        StartError: an SGLang did not come up, or is gone.
        ExceptionGroup: of ``RequestError`` or ``aiohttp.ClientError``.
    """
    numbers = range(bench.rounds)
    if all(bench.store.has(LORA, name, n) for name in LORA_SYSTEMS for n in numbers):
        bench.report(f"{LORA}: measured before", estimate_s(bench.rounds))
        return
    spec = replace(LORA_TOWN, npcs=12, requests=8, lead_in=2) if small else LORA_TOWN
    town = TownWorkload(spec, bench.tokenizer)
    bench.report("making adapters", 0.0)
    adapters = await asyncio.to_thread(save_adapters, bench.model, folder, spec.npcs)
    names = list(adapters)
    async with AsyncExitStack() as stack:
        running = {
            name: await stack.enter_async_context(
                started(bench, name, _launch(bench, town, adapters, order), _EXTRA)
            )
            for name, order in LORA_SYSTEMS.items()
        }
        distancing = {name: Distancing(one) for name, one in running.items()}
        for one in running.values():
            await _announce(one, names)
            everybody = town.warm_up(town.everybody)
            await warm_up(one, everybody, spec.concurrency, names.__getitem__)
        for number in numbers:
            for name in rotated(tuple(LORA_SYSTEMS), number):
                if not bench.store.has(LORA, name, number):
                    bench.report(f"{LORA}: round {number + 1} of {bench.rounds}, {name}", 0.0)
                    figures = await _round(running[name], town, number, distancing[name], names)
                    bench.store.add_round(LORA, name, number, figures)
                    bench.report("", ROUND_S)


_EXTRA = {CPU_ATTENTION: "1"}


def _launch(
    bench: Bench, town: TownWorkload, adapters: Mapping[str, Path], order: str
) -> LaunchSpec:
    """KV caches have room enough, so that adapters alone make the difference."""
    talk = town.spec.question_tokens + town.spec.reply_tokens
    said = talk * (town.spec.requests + town.spec.lead_in) * (bench.rounds + 1)
    # With an adapter of one's own, the world prefix is one's own too.
    own = town.prefix_tokens + town.spec.world_tokens * town.spec.npcs
    return LaunchSpec(
        python=bench.python,
        model=bench.model,
        port=free_port(),
        device="cpu",
        pool_tokens=own + said,
        host_ratio=1.5,
        adapters=adapters,
        adapter_slots=ADAPTER_SLOTS,
        plugin_settings={"adapters": order},
        log_level="warning",
        extra_arguments=KV_ARGUMENTS,
    )


async def _announce(running: RunningSglang, names: list[str]) -> None:
    """Tell who speaks with which adapter, as the server does before the first call."""
    body = encode_adapters(dict(enumerate(names)))
    async with running.http.post(running.url + NPCS_PATH, data=body) as answer:
        answer.raise_for_status()


async def _round(
    running: RunningSglang,
    town: TownWorkload,
    number: int,
    distancing: Distancing,
    names: list[str],
) -> dict[str, float]:
    """Play one round; forecasts are told in game time, to see whether they come early enough."""
    result = await play(
        running,
        town,
        f"{LORA} {number}",
        distancing,
        names.__getitem__,
        in_game_time=True,
        also=partial(_swaps, running),
    )
    return figures_of_round(result) | {
        name: result.counted[name] / town.spec.requests for name in COUNTED
    }


async def _swaps(running: RunningSglang) -> dict[str, float]:
    counters = (await running.get_json(STATUS_PATH))["counters"]
    return {name: sum(counters[one] for one in added) for name, added in COUNTED.items()}
