"""The command line and the environment of an SGLang process."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from callsheet_sglang.launch.spec import LaunchSpec, arguments, environment


def spec(**fields: Any) -> LaunchSpec:
    required: dict[str, Any] = {"python": Path("/venv/bin/python"), "model": Path("/m"), "port": 1}
    return LaunchSpec(**required, **fields)


def value_of(flag: str, command: list[str]) -> str:
    return command[command.index(flag) + 1]


def test_the_defaults_are_those_of_a_gpu_with_the_plugin_and_a_host_tier() -> None:
    command = arguments(spec())
    assert command[:3] == ["/venv/bin/python", "-m", "sglang.launch_server"]
    assert value_of("--device", command) == "cuda"
    assert value_of("--host", command) == "127.0.0.1"
    assert value_of("--radix-cache-backend", command) == "callsheet"
    assert value_of("--hicache-io-backend", command) == "kernel"
    assert value_of("--hicache-write-policy", command) == "write_through"
    assert "--enable-lora" not in command
    assert not {"--attention-backend", "--tp-size", "--api-key"} & set(command)


def test_on_cpu_everything_is_computed_with_torch() -> None:
    command = arguments(spec(device="cpu", adapter_slots=4))
    assert value_of("--attention-backend", command) == "torch_native"
    assert value_of("--hicache-io-backend", command) == "direct"
    assert value_of("--lora-backend", command) == "torch_native"


@pytest.mark.parametrize(
    ("device", "dtype", "hardware", "expected"),
    [
        ("cpu", "auto", True, "auto"),
        ("cpu", "auto", False, "float32"),
        ("cpu", "bfloat16", False, "bfloat16"),
        ("cuda", "auto", False, "auto"),
    ],
)
def test_a_cpu_without_bfloat16_computes_in_float32(
    device: str, dtype: str, hardware: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callsheet_sglang.launch.spec.has_bfloat16", lambda: hardware)
    assert value_of("--dtype", arguments(spec(device=device, dtype=dtype))) == expected


def test_without_plugin_and_host_tier_it_is_the_stock_sglang() -> None:
    stock = spec(plugin=False, host_ratio=None)
    command = arguments(stock)
    assert not [word for word in command if "hicache" in word or "radix" in word]
    assert not [name for name in environment(stock, {}) if name.startswith("CALLSHEET")]


def test_every_field_reaches_the_command_line() -> None:
    command = arguments(
        spec(
            served_name="town",
            context_tokens=2048,
            pool_tokens=9000,
            page_tokens=16,
            adapters={"smith": Path("/a")},
            adapter_slots=8,
            adapter_rank=16,
            adapter_modules=("q_proj", "v_proj"),
            priorities=True,
            api_key="k",
            tensor_parallel=2,
            metrics=False,
            log_level="warning",
            random_seed=3,
            extra_arguments=("--watchdog-timeout", "9"),
        )
    )
    expected = {
        "--served-model-name": "town",
        "--context-length": "2048",
        "--max-total-tokens": "9000",
        "--page-size": "16",
        "--lora-paths": "smith=/a",
        "--max-loras-per-batch": "8",
        "--max-lora-rank": "16",
        "--lora-target-modules": "q_proj",
        "--api-key": "k",
        "--tp-size": "2",
        "--log-level": "warning",
        "--random-seed": "3",
        "--watchdog-timeout": "9",
    }
    assert {flag: value_of(flag, command) for flag in expected} == expected
    assert "--schedule-low-priority-values-first" in command
    assert "--enable-metrics" not in command


def test_the_plugin_and_its_settings_travel_in_the_environment() -> None:
    env = environment(spec(plugin_settings={"prefetch": False}), {"HOME": "/h"})
    assert env["CALLSHEET_SGLANG"] == "1"
    assert json.loads(env["CALLSHEET_SGLANG_SETTINGS"]) == {"prefetch": False}
    assert env["HOME"] == "/h"
    assert "SGLANG_USE_CPU_ENGINE" not in env


def test_what_another_launch_left_in_the_environment_is_dropped() -> None:
    left = {
        "CALLSHEET_SGLANG": "1",
        "SGLANG_USE_CPU_ENGINE": "1",
        "CALLSHEET_SGLANG_SETTINGS": "{}",
    }
    assert not set(left) & set(environment(spec(plugin=False), left))


def test_cpu_mode_finds_the_stub_kernels_and_the_code_of_this_checkout_first() -> None:
    env = environment(spec(device="cpu"), {"PYTHONPATH": "/mine"})
    assert env["SGLANG_USE_CPU_ENGINE"] == "1"
    stubs, *others = env["PYTHONPATH"].split(os.pathsep)
    assert (Path(stubs) / "sgl_kernel" / "__init__.py").is_file()
    assert (Path(others[0]) / "callsheet_sglang").is_dir()
    assert others[-1] == "/mine"
    assert stubs not in environment(spec(), {}).get("PYTHONPATH", "")


def test_each_cpu_rank_gets_cores_of_its_own() -> None:
    env = environment(spec(device="cpu", tensor_parallel=2), {})
    ranks = [bind.split(",") for bind in env["SGLANG_CPU_OMP_THREADS_BIND"].split("|")]
    assert len(ranks) == 2
    assert all(ranks)
    if len(os.sched_getaffinity(0)) > 1:
        assert not set(ranks[0]) & set(ranks[1])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"host_ratio": 1.0}, "host_ratio=1.0.*above 1"),
        ({"host_ratio": float("nan")}, "host_ratio=nan"),
        ({"adapters": {"smith": Path("/a")}}, "need adapter_slots"),
    ],
)
def test_what_cannot_work_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec(**fields)
