"""State of the plugin in a scheduler process, in one place.

Imports neither sglang nor torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from callsheet_sglang.guard import Guard
from callsheet_sglang.kv.arrivals import Arrivals
from callsheet_sglang.kv.leaves import LeafOrder
from callsheet_sglang.kv.ownership import Node, Ownership
from callsheet_sglang.kv.pace import Pace
from callsheet_sglang.npc_table import NpcTable
from callsheet_sglang.settings import PluginSettings, read_settings

__all__ = ["Counters", "SchedulerState", "current", "hindered", "install", "prefilled"]


@dataclass(slots=True)
class Counters:
    """Totals since the start, each also a metric of SGLang's /metrics."""

    loads: int = 0
    """Prefetches: KV caches brought to the device before their NPCs called."""
    loaded_tokens: int = 0
    demotions: int = 0
    """KV caches parked in host memory before the room was asked for."""
    demoted_tokens: int = 0
    evictions: int = 0
    """Tree nodes evicted by distance because a request needed the room."""
    evicted_tokens: int = 0
    disk_reads: int = 0
    """KV caches brought from HiCache's storage to host memory before their NPCs called."""
    demanded_loads: int = 0
    """KV caches sent for because a request of their NPC waited, while others ran."""
    released_copies: int = 0
    """Copies in host memory given up while their NPCs were on the device and about to call."""
    held_requests: int = 0
    """Requests that waited in the queue until their KV cache had come, while others ran."""
    arrivals: int = 0
    """Calls of NPCs whose prefix is known."""
    arrivals_on_device: int = 0
    """Those of them whose prefix was on the device, whole, as they came."""
    deferred: int = 0
    """Planned moves not made: something was in use, or there was no room after all."""
    decisions: int = 0
    """Plans made, moves or not."""
    decision_s: float = 0.0
    longest_decision_s: float = 0.0
    move_s: float = 0.0
    """Carrying plans out, as far as the scheduler has to wait for it."""
    eviction_s: float = 0.0
    """Walks for room, by distance or not, SGLang's own part included."""
    longest_eviction_s: float = 0.0
    iterations: int = 0
    """Scheduler iterations."""
    iteration_s: float = 0.0
    """All that the plugin does in them."""
    adapter_critical_loads: int = 0
    """LoRA adapters brought to a slot while a request that needs them waited."""
    adapter_prefetched_loads: int = 0
    """LoRA adapters brought to a slot before any request needed them."""
    adapter_late_loads: int = 0
    """Prefetched adapters that a request came to wait for: with overlap loading only."""
    adapter_evictions: int = 0
    """LoRA adapters that left their slot for another one."""
    attributions: int = 0
    """Calls whose NPC was known."""
    attribution_s: float = 0.0


def _admit_all(make_batch: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Admission as SGLang does it."""
    return make_batch(*args, **kwargs)


def _ignore(*_: Any) -> None:
    """Take no note of a call."""


@dataclass(slots=True)
class SchedulerState:
    """One per scheduler process; used from its only thread."""

    settings: PluginSettings
    table: NpcTable = field(default_factory=NpcTable)
    guard: Guard = field(default_factory=Guard)
    counters: Counters = field(default_factory=Counters)
    pace: Pace = field(default_factory=Pace)
    horizon_s: float = 0.0
    """Distance within which NPCs are brought to the device."""
    scheduler: Any = None
    """SGLang's ``Scheduler``, once it runs."""
    cache: Any = None
    """Our radix cache, if SGLang was started with ``--radix-cache-backend callsheet``."""
    admit: Callable[..., Any] = _admit_all
    """Called in place of ``Scheduler._get_new_batch_prefill_raw``, with that and its arguments."""
    note_call: Callable[[str | None], None] = _ignore
    """Called with the session id of each request that comes."""
    remember: Callable[[int, Any], None] = _ignore
    """Called with an NPC's row and its request that has ended."""
    adapters_in_slots: Callable[[], list[str]] = list
    """Names of the LoRA adapters that hold a slot; none without ``--enable-lora``."""
    every_iteration: list[Callable[[SchedulerState], None]] = field(default_factory=list)
    """Called in this order as each scheduler iteration begins; what raises is counted."""
    arrivals: Arrivals = field(default_factory=Arrivals)
    ownership: Ownership = field(init=False)
    device_leaves: LeafOrder = field(init=False)
    host_leaves: LeafOrder = field(init=False)

    def __post_init__(self) -> None:
        self.ownership = Ownership(self.table, self._regrade)
        self.device_leaves = LeafOrder(self.table, self.ownership.owners)
        self.host_leaves = LeafOrder(self.table, self.ownership.owners)

    def iterate(self, scheduler: Any) -> None:
        """Run ``every_iteration``."""
        self.scheduler = scheduler
        began_s = time.perf_counter()
        for hook in self.every_iteration:
            try:
                hook(self)
            except Exception:
                self.guard.catch(hook.__name__)
        self.counters.iterations += 1
        self.counters.iteration_s += time.perf_counter() - began_s

    def clear(self) -> None:
        """The tree was emptied."""
        self.arrivals.clear()
        self.ownership.clear()
        self.device_leaves.clear()
        self.host_leaves.clear()

    def _regrade(self, node: Node) -> None:
        self.device_leaves.regrade(node)
        self.host_leaves.regrade(node)


def prefilled(scheduler: Any) -> bool:
    """Return whether SGLang's scheduler launched a pass that computes prompts last."""
    batch = scheduler.last_batch
    return batch is not None and bool(batch.forward_mode.is_extend())


def hindered(scheduler: Any) -> bool:
    """Return whether the pass launched last waits for a load."""
    batch = scheduler.last_batch
    return batch is not None and batch.hicache_consumer_index >= 0


_current: SchedulerState | None = None


def install(state: SchedulerState) -> None:
    """Make ``state`` this process's."""
    global _current
    _current = state


def current() -> SchedulerState:
    """Return this process's state; made of the environment's settings when first asked for.

    Raises ``ValueError`` if they are bad.
    """
    if _current is None:
        install(SchedulerState(read_settings()))
    assert _current is not None
    return _current
