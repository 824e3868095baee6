"""Concurrency, aborts, wrong distances, full pools, swapped adapters: SGLang outlives them all."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sglang_harness import Sglang

from callsheet_bench.adapters import save_adapters
from callsheet_bench.stress import Crowd, play
from callsheet_sglang.wire import AUDIT_PATH, STATUS_PATH
from callsheet_sglang_cpu.emulated_gpu.machine import Emulation, named

pytestmark = [pytest.mark.sglang, pytest.mark.timeout(420)]

LaunchSglang = Callable[..., AbstractContextManager[Sglang]]

SLOW_LINK_BYTES_PER_S = 2e9
"""A prefix of 130 tokens takes 13 ms: dozens of loads are on the link at a time."""


@pytest.mark.parametrize("concurrency", [64, 256])
async def test_a_crowd_on_an_emulated_gpu_ends_nobody(
    concurrency: int, launch_sglang: LaunchSglang, tmp_path: Path
) -> None:
    gpu = tmp_path / "gpu.json"
    Emulation(named("h100/smollm2-1.7b", SLOW_LINK_BYTES_PER_S)).save(gpu)
    crowd = Crowd(npcs=800, concurrency=concurrency, requests=3000)
    launch = launch_sglang(plugin=True, pool_tokens=40_000, host_ratio=4.0, emulated_gpu=gpu)
    with launch as sglang:
        outcome = await play(sglang.url, crowd)
        assert outcome.lost == []
        assert outcome.answered > crowd.requests // 2
        assert outcome.aborted + outcome.hung_up > crowd.requests // 20
        assert json.loads(sglang.call("POST", AUDIT_PATH, b""))["ok"]
        status = sglang.get_json(STATUS_PATH)
        assert status["fallbacks"] == {}
        counters = status["counters"]
        assert counters["loads"] > 20
        assert counters["demanded_loads"] > 0, "a machine's speed decides how many, never whether"


async def test_a_crowd_on_a_real_cpu_ends_nobody(launch_sglang: LaunchSglang) -> None:
    crowd = Crowd(npcs=60, concurrency=64, requests=200, longest_reply_tokens=6)
    with launch_sglang(plugin=True, pool_tokens=4000, host_ratio=3.0) as sglang:
        outcome = await play(sglang.url, crowd)
        assert outcome.lost == []
        assert outcome.answered > crowd.requests // 2
        assert json.loads(sglang.call("POST", AUDIT_PATH, b""))["ok"]
        assert sglang.get_json(STATUS_PATH)["fallbacks"] == {}


async def test_adapters_swapped_under_a_crowd_end_nobody(
    launch_sglang: LaunchSglang, tiny_model: Path, tmp_path: Path
) -> None:
    gpu = tmp_path / "gpu.json"
    Emulation(named("h100/smollm2-1.7b", SLOW_LINK_BYTES_PER_S)).save(gpu)
    adapters = save_adapters(tiny_model, tmp_path / "adapters", 4)
    crowd = Crowd(npcs=200, concurrency=64, requests=1000, adapters=adapters)
    launch = launch_sglang(
        plugin=True,
        pool_tokens=20_000,
        host_ratio=4.0,
        emulated_gpu=gpu,
        adapters=adapters,
        adapter_slots=3,
        extra_arguments=("--load-format", "auto"),  # beside no weights no adapter is loaded
    )
    with launch as sglang:
        outcome = await play(sglang.url, crowd)
        assert outcome.lost == []
        assert outcome.answered > crowd.npcs
        assert outcome.swapped > 0
        assert json.loads(sglang.call("POST", AUDIT_PATH, b""))["ok"]
        assert sglang.get_json(STATUS_PATH)["fallbacks"] == {}
