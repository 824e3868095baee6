"""The systems that are compared: the same SGLang, told differently what to do with KV caches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from callsheet_sglang.launch.spec import LaunchSpec
from callsheet_sglang_cpu.attention import CPU_ATTENTION
from callsheet_sglang_cpu.emulated_link import BYTES_PER_S

__all__ = ["HORIZON_S", "KV_ARGUMENTS", "SYSTEMS", "Pool", "Sizes", "System"]

KV_ARGUMENTS = ("--kv-cache-dtype", "bfloat16")
"""Whatever a CPU computes in, KV caches have the size that they have on a GPU."""
HORIZON_S = 3.0
"""The plugin's prefetch horizon: loads take a second at most, and what is early takes room."""
TARGET_POOL_SHARE = 0.45
"""Ours is to answer as fast with this share of stock's device pool."""


class Pool(StrEnum):
    """Sizes of the device's KV pool."""

    SMALL = "small"
    """A quarter of the personas; every system but the two below."""
    LARGE = "large"
    """So much that SMALL is 45 % of it."""
    ALL = "all"
    """Everybody's, at once."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Tokens of the pools of one comparison."""

    small_tokens: int
    all_tokens: int
    context_tokens: int

    def device_tokens(self, pool: Pool) -> int:
        """Size of a device pool."""
        match pool:
            case Pool.SMALL:
                return self.small_tokens
            case Pool.LARGE:
                return round(self.small_tokens / TARGET_POOL_SHARE)
            case Pool.ALL:
                return self.all_tokens

    @property
    def host_ratio(self) -> float:
        """So large a host tier that nothing ever leaves it."""
        return max(1.5, 1.1 * self.all_tokens / self.small_tokens)


@dataclass(frozen=True, slots=True)
class System:
    """One way of running SGLang."""

    name: str
    about: str
    pool: Pool = Pool.SMALL
    host_tier: bool = False
    plugin: bool = False
    link: bool = False
    """Host <-> device copies take the time that the emulated link says."""

    def launch(self, python: Path, model: Path, port: int, sizes: Sizes) -> LaunchSpec:
        """Say how to start it on this machine's CPU."""
        policy = {"prefetch_horizon_s": HORIZON_S}
        return LaunchSpec(
            python=python,
            model=model,
            port=port,
            device="cpu",
            pool_tokens=sizes.device_tokens(self.pool),
            context_tokens=sizes.context_tokens,
            host_ratio=sizes.host_ratio if self.host_tier else None,
            plugin=self.plugin,
            plugin_settings={"policy": policy} if self.plugin else {},
            log_level="warning",
            extra_arguments=KV_ARGUMENTS,
        )

    def environment(self, link_bytes_per_s: float) -> Mapping[str, str]:
        """Return its additional variables. Without a link, loads are timed but not delayed."""
        link = link_bytes_per_s if self.link else float("inf")
        return {BYTES_PER_S: str(link), CPU_ATTENTION: "1"}


SYSTEMS: Mapping[str, System] = {
    system.name: system
    for system in (
        System("stock", "SGLang: LRU, no host tier"),
        System("naive", "SGLang with HiCache: LRU, parked in host memory", host_tier=True),
        System("callsheet", "with the plugin: by distance", host_tier=True, plugin=True),
        System("resident", "SGLang with room for everybody: the upper bound", Pool.ALL),
        System("naive-link", "naive, emulated link", host_tier=True, link=True),
        System("callsheet-link", "callsheet, emulated link", Pool.SMALL, True, True, True),
        System("stock-large", "stock with a larger device pool", Pool.LARGE),
    )
}
"""Systems by name, in the order of tables."""
