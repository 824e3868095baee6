"""Hypothesis strategies and a model store for planner tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from callsheet_residency.actions import Load, Plan
from callsheet_residency.items import Budget, Credit, Items, cost
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, Tier

FINITE = st.integers(0, 120).map(lambda quarters: quarters / 4.0)
DISTANCES = st.one_of(FINITE, st.just(float("inf")))


@st.composite
def problems(
    draw: st.DrawFn, *, equal: bool = False, distances: st.SearchStrategy[float] = DISTANCES
) -> tuple[Items, Budget, PolicySettings]:
    """Items somewhere within their budgets; with ``equal``, all alike but for distance and tier."""
    count = draw(st.integers(1, 24))

    def column(strategy: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(strategy, min_size=count, max_size=count))

    sizes = [8] * count if equal else column(st.integers(0, 20))
    tiers = np.array(column(st.sampled_from(list(Tier))), np.int8)
    backed = np.array([False] * count if equal else column(st.booleans())) & (tiers == Tier.DEVICE)
    rebuild = column(st.sampled_from([1.0]) if equal else st.sampled_from([0.0, 0.5, 2.0, np.inf]))
    items = Items(
        kind=StateKind.PREFIX,
        keys=range(count),
        distance_s=np.array(column(distances), np.float32),
        size_bytes=np.array(sizes, np.int64),
        tier=tiers,
        pinned=np.array([False] * count if equal else column(st.booleans())),
        rebuild_s=np.array(rebuild, np.float32),
        backed_up=backed,
    )
    used = used_bytes(items)
    room = st.integers(0, 60)
    capacity = tuple(u + draw(room) for u in used)
    credit = st.integers(0, 80)
    budget = Budget(
        capacity_bytes=(capacity[0], capacity[1], capacity[2]),
        used_bytes=used,
        credit=Credit(draw(credit), draw(credit), draw(credit), draw(st.integers(0, 6))),
    )
    policy = PolicySettings(
        prefetch_horizon_s=draw(st.sampled_from([0.0, 5.0, 20.0])),
        hysteresis_s=draw(st.sampled_from([0.0, 2.0])),
        device_headroom=draw(st.sampled_from([0.0, 0.25])),
    )
    return items, budget, policy


def used_bytes(items: Items) -> tuple[int, int, int]:
    size, tier = items.size_bytes, items.tier
    host = size[(tier == Tier.HOST) | items.backed_up].sum()
    return (
        int(size[tier == Tier.DEVICE].sum()),
        int(host),
        int(size[tier == Tier.DISK].sum()),
    )


def carry_out(plan: Plan, items: Items, budget: Budget) -> tuple[Items, Budget]:
    """Apply a plan to a model that checks every step against tiers, budgets and credit."""
    items = replace(items, tier=items.tier.copy(), backed_up=items.backed_up.copy())
    credit = budget.credit
    for action in plan.actions:
        row = items.keys.index(action.key)
        assert not items.pinned[row]
        assert items.tier[row] == action.source
        assert items.size_bytes[row] == action.size_bytes
        assert (action.target < action.source) == isinstance(action, Load)
        assert action.target != Tier.ABSENT or np.isfinite(items.rebuild_s[row])
        credit -= cost(items, row, action.source, action.target)
        assert credit.covers(Credit(0, 0, 0, 0.0))
        items.tier[row] = action.target
        items.backed_up[row] = False
        for used, capacity in zip(used_bytes(items), budget.capacity_bytes, strict=True):
            assert used <= capacity
    return items, replace(budget, used_bytes=used_bytes(items), credit=credit)
