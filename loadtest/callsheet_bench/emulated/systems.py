"""The systems that are compared on the emulated GPU, and how each is started."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from callsheet_bench.emulated.cells import PERSONA_TOKENS, QUESTION_TOKENS, WORLD_TOKENS, Cell
from callsheet_bench.emulated.town import Town
from callsheet_bench.running import RunningSglang
from callsheet_sglang.launch.spec import LaunchSpec, free_port
from callsheet_sglang.settings import PluginSettings
from callsheet_sglang_cpu.emulated_gpu.machine import Emulation
from callsheet_sglang_cpu.emulated_gpu.model_folder import KV_BYTES_PER_TOKEN

__all__ = ["SUMMARY_SYSTEMS", "SYSTEMS", "EmulatedSystem", "Place", "started"]

MAX_RUNNING = 256
DISK_PAGE_TOKENS = 64
DISK_LATENCY_US = 100.0
REQUEST_TIMEOUT_S = 300.0
KEEP_ALIVE_S = 3.0
"""Less than SGLang's HTTP server keeps a connection: or a request meets one that is just closed."""


@dataclass(frozen=True, slots=True)
class EmulatedSystem:
    """One way of running SGLang."""

    about: str
    host_tier: bool = False
    plugin: bool = False
    everybody: bool = False
    """The device holds all."""

    def sees(self, cell: Cell) -> Cell:
        """Return the cell as it is to this system."""
        return cell if self.host_tier else cell.without_host_tier


SYSTEMS: Mapping[str, EmulatedSystem] = {
    "stock": EmulatedSystem("SGLang: LRU, no host tier"),
    "naive": EmulatedSystem("SGLang with HiCache: LRU in both tiers", host_tier=True),
    "callsheet": EmulatedSystem("with the plugin: by distance", host_tier=True, plugin=True),
    "resident": EmulatedSystem("room for everybody: the upper bound", everybody=True),
}
SUMMARY_SYSTEMS = ("naive", "callsheet", "resident")


@dataclass(frozen=True, slots=True)
class Place:
    """Interpreter, model folder and working folder of a run."""

    python: Path
    model: Path
    folder: Path


def spec_of(place: Place, name: str, town: Town, cell: Cell, dilation: float) -> LaunchSpec:
    """Say how a system is started for cells with the pools of ``cell``."""
    system = SYSTEMS[name]
    device = town.device_tokens(cell)
    host = max(1.2 * device, cell.host_share * town.persona_tokens + WORLD_TOKENS)
    turn = QUESTION_TOKENS + cell.reply_tokens[1]
    if system.everybody:
        device = 2 * town.persona_tokens + WORLD_TOKENS
    settings = {"prefetch_link_ms": PluginSettings().prefetch_link_ms * dilation}
    disk = system.host_tier and cell.disk_bytes_per_s is not None
    return LaunchSpec(
        python=place.python,
        model=place.model,
        port=free_port(),
        device="cpu",
        pool_tokens=device,
        page_tokens=DISK_PAGE_TOKENS if disk else None,
        context_tokens=WORLD_TOKENS + PERSONA_TOKENS[1] + turn + 64,
        host_ratio=host / device if system.host_tier else None,
        plugin=system.plugin,
        plugin_settings=settings if system.plugin else {},
        log_level="warning",
        emulated_gpu=place.folder / f"{name}.emulation.json",
        extra_arguments=(
            "--max-running-requests",
            str(MAX_RUNNING),
            *(_disk_arguments(cell, dilation) if disk else ()),
        ),
    )


def _disk_arguments(cell: Cell, dilation: float) -> Sequence[str]:
    """Flags of SGLang's own simulated storage, which keeps keys and waits.

    Writes take no time. A request does not wait for the disk: it would wait longer than computing
    its prefix takes.
    """
    assert cell.disk_bytes_per_s is not None
    shrunk = KV_BYTES_PER_TOKEN / cell.machine.kv_bytes_per_token / dilation
    disk = {
        "sim_read_gbps": cell.disk_bytes_per_s / 1e9 * shrunk,
        "sim_write_gbps": 0.0,
        "sim_op_latency_us": DISK_LATENCY_US * dilation,
    }
    return (
        "--hicache-storage-backend",
        "sim",
        "--hicache-storage-prefetch-policy",
        "best_effort",
        "--hicache-storage-backend-extra-config",
        json.dumps(disk),
    )


@asynccontextmanager
async def started(
    place: Place, name: str, spec: LaunchSpec, emulation: Emulation
) -> AsyncIterator[tuple[RunningSglang, Path]]:
    """Run a system while the block runs; with it comes the file of its emulation.

    Raises ``StartError``.
    """
    path = spec.emulated_gpu
    assert path is not None
    emulation.save(path)
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
    connections = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S)
    async with aiohttp.ClientSession(connector=connections, timeout=timeout) as http:
        running = await RunningSglang.start(name, spec, {}, place.folder / f"{name}.log", http)
        try:
            yield running, path
        finally:
            await running.stop()
