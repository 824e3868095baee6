"""Launching an SGLang on this machine, as the settings say."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models.cache import cache_dir, resolve_model
from callsheet_server.engine.sglang.process import SglangProcess
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_sglang.launch.emulation import emulated_gpu_files
from callsheet_sglang.launch.interpreter import SglangMissingError, find_python
from callsheet_sglang.launch.spec import LaunchSpec, arguments, environment, free_port

__all__ = ["device_of", "launch"]

ALWAYS = ("--constrained-json-disable-any-whitespace",)
"""Flags of every launch, so that an action spends its tokens on words."""


LOG_BYTES = 10_000_000
"""Size at which SGLang's log is rotated: days of it."""


async def launch(
    settings: SglangSettings,
    stop_timeout_s: float,
    report: Callable[[Progress], None],
    host: str = "127.0.0.1",
) -> tuple[SglangProcess, str]:
    """Start SGLang; return its process and the URL it will answer at, an address of this machine.

    Raises:
        EngineStartError: the model, SGLang or the log's place is not there; an adapter does not
            fit the model; a setting is wrong.
    """

    def prepare() -> tuple[LaunchSpec, list[str], dict[str, str]]:
        spec = _specify(settings, report, host)
        return spec, arguments(spec), environment(spec, os.environ)

    spec, command, variables = await asyncio.to_thread(prepare)
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    process = await SglangProcess.launch(
        command,
        variables,
        log_file=settings.log_file or cache_dir() / "sglang.log",
        log_bytes=LOG_BYTES,
        stop_timeout_s=stop_timeout_s,
        report=report,
        secret=key,
    )
    return process, spec.url


def _specify(
    settings: SglangSettings, report: Callable[[Progress], None], host: str = "127.0.0.1"
) -> LaunchSpec:
    device = device_of(settings)
    pool_tokens, emulation = settings.pool_tokens, None
    try:
        python = settings.python or find_python(device)
        model = resolve_model(settings.model, report)
        if settings.emulate:
            gpu = emulated_gpu_files(settings.emulate, model, cache_dir() / "emulated")
            model, emulation = gpu.model, gpu.emulation
            pool_tokens = pool_tokens or gpu.pool_tokens
        adapters = {name: Path(folder) for name, folder in settings.adapters.items()}
        if adapters:
            from callsheet_server.engine.models.adapters import read_adapters  # Imports torch.

            read_adapters("sglang", adapters, settings.model, model)
        return LaunchSpec(
            python=python,
            model=model,
            host=host,
            port=settings.port or free_port(host),
            device=device,
            served_name=settings.model,
            context_tokens=None,
            pool_tokens=pool_tokens,
            host_ratio=settings.host_ratio,
            adapters=adapters,
            adapter_slots=settings.adapter_slots if adapters else None,
            emulated_gpu=emulation,
            priorities=True,
            api_key=settings.api_key.get_secret_value() if settings.api_key else None,
            extra_arguments=(*ALWAYS, *settings.arguments),
        )
    except (SglangMissingError, ValueError) as error:
        raise EngineStartError(f"sglang: {error}") from error


def device_of(settings: SglangSettings) -> Literal["cpu", "cuda"]:
    """Device that a launched SGLang runs on."""
    if settings.emulate:
        return "cpu"
    if settings.device != "auto":
        return settings.device
    return "cuda" if Path("/dev/nvidiactl").exists() else "cpu"
