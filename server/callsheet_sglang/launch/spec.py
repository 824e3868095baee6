"""Start of a stock SGLang: one frozen specification -> command line and environment."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from callsheet_sglang.settings import RADIX_CACHE_BACKEND, SETTINGS_VARIABLE, SWITCH
from callsheet_sglang_cpu.bfloat16 import has_bfloat16
from callsheet_sglang_cpu.emulated_gpu.hooks import EMULATED_GPU
from callsheet_sglang_cpu.emulated_gpu.model_folder import LOAD_ARGUMENTS
from callsheet_sglang_cpu.python_path import STUBS, source_folders
from callsheet_sglang_cpu.replacements import CPU_ENGINE

__all__ = ["LaunchSpec", "arguments", "environment", "free_port"]


NOBODYS_PORTS = range(20_000, 32_000)
"""Below those that a system gives to whoever asks for any port: an SGLang starts for a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSpec:
    """One SGLang process tree: what it serves, in how much memory, with or without the plugin."""

    python: Path
    """Interpreter of the environment that has SGLang; see ``launch.interpreter``."""
    model: Path
    """Folder of a transformers model, or its hub id."""
    port: int
    host: str = "127.0.0.1"
    device: Literal["cpu", "cuda"] = "cuda"
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """Type of numbers to compute in; auto = the model's own, except on a CPU without bfloat16
    arithmetic, where float32 is far faster."""
    served_name: str | None = None
    """Name of the model in the OpenAI-compatible routes; None = its path."""
    context_tokens: int | None = None
    """Longest prompt plus reply; None = the model's own limit."""
    pool_tokens: int | None = None
    """Size of the device KV pool; None = what SGLang finds free: on CPU, most of the RAM."""
    page_tokens: int | None = None
    """Tokens per page of the KV pools; None = SGLang's choice for the device."""
    host_ratio: float | None = 4.0
    """Host tier, in sizes of the device pool (above 1); None = no host tier."""
    adapters: Mapping[str, Path] = field(default_factory=dict)
    """LoRA adapters to load at start: name -> folder. More can be loaded later."""
    adapter_slots: int | None = None
    """Adapters on the device at once; None = no adapters at all."""
    adapter_rank: int | None = None
    """Highest rank of any adapter; needed if one comes after the start."""
    adapter_modules: tuple[str, ...] = ()
    """Modules adapters may change, such as ``q_proj``; needed if one comes after the start."""
    plugin: bool = True
    """Callsheet's policy; False = SGLang as its authors ship it."""
    plugin_settings: Mapping[str, Any] = field(default_factory=dict)
    """Fields that differ from the defaults of ``callsheet_sglang.settings``."""
    priorities: bool = False
    """Requests carry a ``priority`` and the smallest goes first."""
    emulated_gpu: Path | None = None
    """File of an ``Emulation``: on CPU, at that GPU's speed, and the model is next to nothing."""
    api_key: str | None = None
    tensor_parallel: int = 1
    metrics: bool = True
    """Serve Prometheus text at /metrics."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    random_seed: int = 0
    extra_arguments: tuple[str, ...] = ()
    """Passed to SGLang as they are, last."""

    def __post_init__(self) -> None:
        """Refuse what SGLang would take and not do.

        Raises:
            ValueError: the text names the field, its value, its limit and the fix.
        """
        if self.host_ratio is not None and not self.host_ratio > 1:
            raise ValueError(
                f"host_ratio={self.host_ratio}: the host tier also holds what is on the device, so "
                "it must be larger than the device pool (above 1); None turns it off"
            )
        if self.adapters and self.adapter_slots is None:
            raise ValueError(f"adapters={sorted(self.adapters)} need adapter_slots, such as 8")
        if self.emulated_gpu is not None and (self.device != "cpu" or self.tensor_parallel > 1):
            raise ValueError("emulated_gpu is one GPU, on device=cpu: tensor_parallel is left out")

    @property
    def url(self) -> str:
        """The address it listens at, for a client on this machine."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def arguments(spec: LaunchSpec) -> list[str]:
    """Return the command line of an SGLang as ``spec`` says."""
    command = [str(spec.python), "-m", "sglang.launch_server"]
    command += ["--model-path", str(spec.model), "--device", spec.device, "--dtype", _dtype(spec)]
    command += ["--host", spec.host, "--port", str(spec.port)]
    command += ["--random-seed", str(spec.random_seed), "--log-level", spec.log_level]
    command += ["--log-level-http", "warning"]  # one line per request otherwise
    command += ["--enable-cache-report", "--sleep-on-idle"]
    optional = {
        "--served-model-name": spec.served_name,
        "--context-length": spec.context_tokens,
        "--max-total-tokens": spec.pool_tokens,
        "--page-size": spec.page_tokens,
        "--api-key": spec.api_key,
    }
    for flag, value in optional.items():
        if value is not None:
            command += [flag, str(value)]
    if spec.metrics:
        command.append("--enable-metrics")
    if spec.priorities:
        command += ["--enable-priority-scheduling", "--schedule-low-priority-values-first"]
    if spec.tensor_parallel > 1:
        command += ["--tp-size", str(spec.tensor_parallel)]
    if spec.device == "cpu":
        command += ["--attention-backend", "torch_native", "--sampling-backend", "pytorch"]
    if spec.emulated_gpu is not None:
        command += LOAD_ARGUMENTS
    if spec.plugin:
        command += ["--radix-cache-backend", RADIX_CACHE_BACKEND]
    return [*command, *_host_tier(spec), *_adapters(spec), *spec.extra_arguments]


def environment(spec: LaunchSpec, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of an SGLang as ``spec`` says.

    Args:
        spec: the process tree.
        inherited: this process's ``os.environ``; what it says of other launches is dropped.
    """
    dropped = (SWITCH, SETTINGS_VARIABLE, CPU_ENGINE, EMULATED_GPU, "PYTHONHOME", "VIRTUAL_ENV")
    env = {name: value for name, value in inherited.items() if name not in dropped}
    path = [*source_folders(), env.get("PYTHONPATH", "")]
    if spec.plugin:
        env[SWITCH] = "1"
        env[SETTINGS_VARIABLE] = json.dumps(dict(spec.plugin_settings))
    if spec.device == "cpu":
        env[CPU_ENGINE] = "1"
        path.insert(0, str(STUBS))
        if spec.emulated_gpu is not None:
            env[EMULATED_GPU] = str(spec.emulated_gpu)
        if spec.tensor_parallel > 1:
            env.setdefault("SGLANG_NCCL_SO_PATH", os.devnull)  # there is none to find
            env.setdefault("SGLANG_CPU_OMP_THREADS_BIND", _cores_by_rank(spec.tensor_parallel))
    if joined := os.pathsep.join(filter(None, path)):
        env["PYTHONPATH"] = joined
    return env


def _dtype(spec: LaunchSpec) -> str:
    if spec.dtype == "auto" and spec.device == "cpu" and not has_bfloat16():
        return "float32"
    return spec.dtype


def _host_tier(spec: LaunchSpec) -> list[str]:
    if spec.host_ratio is None:
        return []
    flags = ["--enable-hierarchical-cache", "--hicache-ratio", str(spec.host_ratio)]
    flags += ["--hicache-write-policy", "write_through"]  # write_back copies inside an eviction
    flags += ["--hicache-mem-layout", "layer_first"]  # others pay off with a tier below the host
    return [*flags, "--hicache-io-backend", "direct" if spec.device == "cpu" else "kernel"]


def _adapters(spec: LaunchSpec) -> list[str]:
    if spec.adapter_slots is None:
        return []
    flags = ["--enable-lora", "--max-loras-per-batch", str(spec.adapter_slots)]
    if spec.device == "cpu":
        flags += ["--lora-backend", "torch_native"]
    if spec.adapter_rank is not None:
        flags += ["--max-lora-rank", str(spec.adapter_rank)]
    if spec.adapter_modules:
        flags += ["--lora-target-modules", *spec.adapter_modules]
    if spec.adapters:
        flags += ["--lora-paths", *(f"{name}={path}" for name, path in spec.adapters.items())]
    return flags


def _cores_by_rank(ranks: int) -> str:
    """Share this machine's cores out among the ranks, as SGLang wants to read it: ``0,1|2,3``."""
    cores = sorted(os.sched_getaffinity(0))
    share = max(1, len(cores) // ranks)
    return "|".join(
        ",".join(map(str, (cores * ranks)[rank * share : (rank + 1) * share]))
        for rank in range(ranks)
    )


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody listens on, and that no connection is given meanwhile."""
    draw = random.SystemRandom()
    while True:
        port = draw.choice(NOBODYS_PORTS)
        with contextlib.suppress(OSError), socket.create_server((host, port)):
            return port
