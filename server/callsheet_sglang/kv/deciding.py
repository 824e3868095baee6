"""Decide what to move next, by the planner that the embedded engine uses too.

Sizes are tokens. Host memory is not planned here: SGLang copies there as prefixes are computed
(write-through), so that parking costs nothing, and makes room there by the same order of distance.
Needs numpy only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from callsheet_residency.actions import Load, Plan
from callsheet_residency.bandwidth import BURST_S, CreditBucket
from callsheet_residency.items import Budget, Credit, Items
from callsheet_residency.planner import plan
from callsheet_residency.state import StateKind, Tier
from callsheet_sglang.npc_table import NpcTable
from callsheet_sglang.settings import PluginSettings

__all__ = ["Pools", "Traffic", "decide"]

PLENTY = 2**62


@dataclass(frozen=True, slots=True)
class Pools:
    """The KV pools now."""

    device_tokens: int
    """Size of the device pool."""
    free_tokens: int
    """Tokens of it that are free or held by what nobody needs."""
    host_tokens: int
    host_free_tokens: int
    bytes_per_token: int
    smallest_load_tokens: int
    """SGLang does not load less than this."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests now."""

    running: Collection[int]
    """NPCs being served: their KV cache is in use."""
    queued: Collection[int]
    """NPCs with a request that waits: as good as due."""
    reserved_tokens: int
    """Room that running and queued requests will still take."""
    waiting_requests: int
    """Requests of NPCs and of others."""


def decide(
    table: NpcTable,
    pools: Pools,
    traffic: Traffic,
    loading: Collection[int],
    bucket: CreditBucket,
    settings: PluginSettings,
) -> Plan:
    """Plan the next moves, whose keys are handles, and spend what they load from ``bucket``.

    Args:
        table: the NPCs.
        pools: room.
        traffic: who must not be touched, and room that is spoken for.
        loading: NPCs on their way to the device.
        bucket: tokens the link may carry now.
        settings: of the plugin.
    """
    policy = settings.policy
    items = _items(table, pools, traffic, loading, policy.prefetch_horizon_s)
    rate = policy.assumed_device_link_bytes_per_s * policy.link_share / pools.bytes_per_token
    largest = int(items.size_bytes.max(initial=0))
    bucket.refill(table.now_s, rate, max(rate * BURST_S, largest))
    slots = max(settings.max_loads_in_flight - len(loading), 0)
    if not settings.prefetch or traffic.waiting_requests > settings.max_queued_requests:
        slots = 0
    used = pools.device_tokens - pools.free_tokens + traffic.reserved_tokens
    budget = Budget(
        capacity_bytes=(pools.device_tokens, pools.host_tokens, 0),
        used_bytes=(used, pools.host_tokens - pools.host_free_tokens, 0),
        # No more than the slots can carry, or most of the plan would be for nothing.
        credit=Credit(min(int(bucket.credit), slots * largest), PLENTY, 0, 0.0),
    )
    made = plan(items, budget, policy)
    for at, action in enumerate(made.actions):
        if not isinstance(action, Load):
            continue
        if slots <= 0:
            return Plan(made.actions[:at])
        slots -= 1
        bucket.spend(action.size_bytes)
    return made


def _items(
    table: NpcTable,
    pools: Pools,
    traffic: Traffic,
    loading: Collection[int],
    horizon_s: float,
) -> Items:
    """All NPCs as the planner sees them: a row per handle.

    One that is on the device in part counts as off it if it is wanted within the horizon (what is
    missing is to be loaded), else as on it (what is there may go).
    """
    distance_s = table.distance_s()
    distance_s[_rows(traffic.queued)] = 0.0
    wanted = (table.missing_tokens >= pools.smallest_load_tokens) & (distance_s < horizon_s)
    pinned = ~wanted & ((table.private_tokens == 0) | (table.unbacked_tokens > 0))
    pinned[_rows(traffic.running)] = True
    pinned[_rows(loading)] = True
    return Items(
        kind=StateKind.PREFIX,
        keys=range(table.capacity),
        distance_s=distance_s,
        size_bytes=np.where(wanted, table.missing_tokens, table.private_tokens),
        tier=np.where(wanted, np.int8(Tier.HOST), np.int8(Tier.DEVICE)),
        pinned=pinned,
        rebuild_s=np.full(table.capacity, np.inf, np.float32),
        backed_up=~wanted,
    )


def _rows(handles: Collection[int]) -> list[int]:
    return list(handles)
