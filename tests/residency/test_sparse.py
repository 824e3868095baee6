from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from residency.strategies import DISTANCES, problems

from callsheet_server.residency.items import Budget, Items
from callsheet_server.residency.planner import plan, plan_demand
from callsheet_server.residency.settings import PolicySettings
from callsheet_server.residency.sparse import SparseOrder
from callsheet_server.residency.state import Tier

Problem = tuple[Items, Budget, PolicySettings]


@settings(max_examples=150)
@given(problems(), st.data())
def test_a_sparse_plan_equals_the_dense_one_after_any_updates(
    problem: Problem, data: st.DataObject
) -> None:
    items, budget, policy = problem
    order = SparseOrder(items, now_s=100.0)
    rows = st.integers(0, len(items.keys) - 1)
    for row, distance_s in data.draw(st.lists(st.tuples(rows, DISTANCES), max_size=40)):
        items.pinned[row] = data.draw(st.booleans())
        order.update(row, 100.0 + distance_s)
        items.distance_s[row] = distance_s
    assert plan(items, budget, policy, order) == plan(items, budget, policy)
    assert plan_demand(items, 0, budget, order) == plan_demand(items, 0, budget)

    order.now_s += 0.25
    aged = replace(items, distance_s=np.maximum(items.distance_s - np.float32(0.25), 0))
    if (items.distance_s >= 0.25).all():
        assert plan(aged, budget, policy, order) == plan(aged, budget, policy)


def test_dead_entries_are_passed_over_and_do_not_pile_up() -> None:
    count = 10
    items = Items(
        kind="prefix",  # type: ignore[arg-type]
        keys=range(count),
        distance_s=np.zeros(count, np.float32),
        size_bytes=np.ones(count, np.int64),
        tier=np.full(count, Tier.DEVICE, np.int8),
        pinned=np.zeros(count, np.bool_),
        rebuild_s=np.ones(count, np.float32),
        backed_up=np.zeros(count, np.bool_),
    )
    order = SparseOrder(items)
    for step in range(10_000):
        order.update(step % count, float(step))
    assert list(order.farthest(Tier.DEVICE)) == list(range(9, -1, -1))
    assert max(len(heap) for heap in order._near) <= 2 * count + 64
