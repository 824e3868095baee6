"""Decide what to move next, by the planner that the embedded engine uses too.

Sizes are tokens. Host memory is not planned here: SGLang copies there as prefixes are computed
(write-through), so that parking costs nothing, and makes room there by the same order of distance.
Needs numpy only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from callsheet_residency.actions import Plan
from callsheet_residency.items import Budget, Credit, Items
from callsheet_residency.planner import plan
from callsheet_residency.state import StateKind, Tier
from callsheet_sglang.npc_table import NpcTable
from callsheet_sglang.settings import PluginSettings

__all__ = ["POOL_SHARE", "Pools", "Traffic", "decide", "reach_s"]

PLENTY = 2**62
POOL_SHARE = 0.7
"""Share of the device that who is due may fill; the rest is for who speaks, and for surprises."""
MARGIN_SHARE = 0.1
"""Of the horizon: an NPC that makes room is farther by so much, at least."""


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
    link_tokens: int
    """Tokens that may be sent over the link now."""


def decide(
    table: NpcTable,
    pools: Pools,
    traffic: Traffic,
    loading: Collection[int],
    horizon_s: float,
    settings: PluginSettings,
) -> Plan:
    """Plan the next moves, whose keys are handles.

    Args:
        table: the NPCs.
        pools: room.
        traffic: who must not be touched, and room and link that are spoken for.
        loading: NPCs on their way to the device.
        horizon_s: that of the settings or ``reach_s``, whichever is smaller.
        settings: of the plugin.
    """
    margin_s = min(settings.policy.hysteresis_s, MARGIN_SHARE * horizon_s)
    policy = settings.policy.model_copy(
        update={"prefetch_horizon_s": horizon_s, "hysteresis_s": margin_s}
    )
    items = _items(table, pools, traffic, loading, horizon_s)
    used = pools.device_tokens - pools.free_tokens + traffic.reserved_tokens
    budget = Budget(
        capacity_bytes=(pools.device_tokens, pools.host_tokens, 0),
        used_bytes=(used, pools.host_tokens - pools.host_free_tokens, 0),
        credit=Credit(traffic.link_tokens if settings.prefetch else 0, PLENTY, 0, 0.0),
    )
    return plan(items, budget, policy)


def reach_s(table: NpcTable, room_tokens: float) -> float:
    """Return the distance up to which a tier can hold everybody at once; +inf = anybody's.

    Who is farther cannot be there without sending somebody nearer away.
    """
    known = table.kept_tokens > 0
    tokens = table.kept_tokens[known]
    if tokens.sum() <= room_tokens:
        return float("inf")
    distance_s = table.distance_s()[known]
    nearest = np.argsort(distance_s)
    first_beyond = int(np.searchsorted(np.cumsum(tokens[nearest]), room_tokens, "right"))
    return float(distance_s[nearest[min(first_beyond, len(nearest) - 1)]])


def _items(
    table: NpcTable,
    pools: Pools,
    traffic: Traffic,
    loading: Collection[int],
    horizon_s: float,
) -> Items:
    """All NPCs as the planner sees them: a row per handle.

    One that is on the device in part counts as off it if it is wanted within the horizon (what is
    missing is to be loaded), else as on it (what is there may go). Who is beyond the horizon goes
    in the order of ``NpcTable.keep_s``, as in SGLang's own evictions.
    """
    distance_s = table.distance_s()
    beyond = distance_s > horizon_s
    distance_s[beyond] = horizon_s + table.keep_s[beyond]
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
