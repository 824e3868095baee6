from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from residency.strategies import FINITE, carry_out, problems, used_bytes

from callsheet_residency.actions import Evict, Load
from callsheet_residency.items import Budget, Credit, Items
from callsheet_residency.planner import plan, plan_demand
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, Tier

Problem = tuple[Items, Budget, PolicySettings]
PLENTY = Credit(10**9, 10**9, 10**9, 10.0**9)
INF = float("inf")


def items_of(*rows: tuple[Tier, float], size: int = 10, rebuild_s: float = 1.0) -> Items:
    count = len(rows)
    return Items(
        kind=StateKind.PREFIX,
        keys=[f"npc{i}" for i in range(count)],
        distance_s=np.array([distance_s for _, distance_s in rows], np.float32),
        size_bytes=np.full(count, size, np.int64),
        tier=np.array([tier for tier, _ in rows], np.int8),
        pinned=np.zeros(count, np.bool_),
        rebuild_s=np.full(count, rebuild_s, np.float32),
        backed_up=np.zeros(count, np.bool_),
    )


def budget_of(items: Items, *capacity: int, credit: Credit = PLENTY) -> Budget:
    device, host, disk = capacity
    return Budget((device, host, disk), used_bytes(items), credit)


def moves(actions: tuple[Load | Evict, ...]) -> list[tuple[object, Tier, Tier]]:
    return [(a.key, a.source, a.target) for a in actions]


POLICY = PolicySettings(prefetch_horizon_s=10.0, hysteresis_s=3.0, device_headroom=0.0)


@settings(max_examples=200)
@given(problems())
def test_no_budget_and_no_credit_is_exceeded_at_any_step(problem: Problem) -> None:
    items, budget, policy = problem
    carry_out(plan(items, budget, policy), items, budget)


@settings(max_examples=200)
@given(problems())
def test_planning_again_after_carrying_out_gives_nothing(problem: Problem) -> None:
    items, budget, policy = problem
    items, budget = carry_out(plan(items, budget, policy), items, budget)
    assert plan(items, budget, policy).actions == ()


@settings(max_examples=200)
@given(problems(equal=True))
def test_a_nearer_one_is_never_evicted_for_a_farther_one_of_the_same_cost(problem: Problem) -> None:
    items, budget, policy = problem
    made = plan(items, budget, policy)
    distance_s = items.distance_s
    loaded = [distance_s[items.keys.index(a.key)] for a in made.actions if isinstance(a, Load)]
    evicted = [
        distance_s[items.keys.index(a.key)]
        for a in made.actions
        if isinstance(a, Evict) and a.source is Tier.DEVICE
    ]
    if loaded and evicted:
        assert min(evicted) > max(loaded)
    after, _ = carry_out(made, items, budget)
    stayed = distance_s[(items.tier == Tier.DEVICE) & (after.tier == Tier.DEVICE)]
    if evicted and len(stayed):
        assert min(evicted) >= stayed.max()


@given(problems())
def test_a_demand_is_met_within_budget_or_not_at_all(problem: Problem) -> None:
    items, budget, _ = problem
    for row in range(len(items.keys)):
        made = plan_demand(items, row, budget)
        after, _ = carry_out(made, items, replace(budget, credit=PLENTY))
        if made:
            assert after.tier[row] == Tier.DEVICE
        movable = not items.pinned.any() and np.isfinite(items.rebuild_s).all()
        fits = items.size_bytes[row] <= budget.capacity_bytes[Tier.DEVICE]
        if movable and fits:
            assert after.tier[row] == Tier.DEVICE


@given(problems(distances=FINITE))
def test_hysteresis_leaves_items_of_like_distance_alone(problem: Problem) -> None:
    """Distances that waver by less than half the margin never swap two items."""
    items, budget, policy = problem
    policy = policy.model_copy(update={"hysteresis_s": 2.0})
    budget = replace(budget, credit=PLENTY)
    items, budget = carry_out(plan(items, budget, policy), items, budget)
    wavering = (np.arange(len(items.keys)) % 2).astype(np.float32) * 1.5 - 0.75
    wavered = replace(items, distance_s=np.maximum(items.distance_s + wavering, np.float32(0.0)))
    again = plan(wavered, budget, policy)
    settled, budget = carry_out(again, wavered, replace(budget, credit=PLENTY))
    back = plan(replace(settled, distance_s=items.distance_s), budget, policy)
    evicted = {a.key for a in again.actions if isinstance(a, Evict) and a.source is Tier.DEVICE}
    made_room_for = {a.key for a in again.actions if isinstance(a, Load)}
    undone = {a.key for a in back.actions if isinstance(a, Load)} & evicted
    expelled = {a.key for a in back.actions if isinstance(a, Evict)} & made_room_for
    assert not (undone and expelled)


def test_a_demand_that_filled_the_headroom_does_not_stop_planning() -> None:
    """The device is full, everybody there is due within the horizon, and one is due much sooner."""
    items = items_of((Tier.DEVICE, 9.0), (Tier.DEVICE, 9.0), (Tier.HOST, 0.1), size=50)
    policy = POLICY.model_copy(update={"device_headroom": 0.02})
    made = plan(items, budget_of(items, 100, 500, 0), policy)
    assert ("npc2", Tier.HOST, Tier.DEVICE) in moves(made.actions)


def test_free_room_is_filled_nearest_first_beyond_the_horizon() -> None:
    items = items_of((Tier.HOST, 90.0), (Tier.HOST, 60.0), (Tier.DISK, 70.0), (Tier.HOST, INF))
    made = plan(items, budget_of(items, 20, 40, 40), POLICY)
    assert moves(made.actions) == [
        ("npc1", Tier.HOST, Tier.DEVICE),
        ("npc2", Tier.DISK, Tier.DEVICE),
    ]
    assert made.actions[0].reason == "room is free"


def test_nothing_is_fetched_ahead_with_a_horizon_of_0() -> None:
    items = items_of((Tier.HOST, 0.0), (Tier.HOST, 60.0))
    policy = POLICY.model_copy(update={"prefetch_horizon_s": 0.0})
    assert not plan(items, budget_of(items, 20, 40, 0), policy)


def test_a_swap_that_gains_next_to_nothing_is_not_made() -> None:
    """A call in 9.9 s is hardly more worth having at hand than none at all."""
    items = items_of((Tier.DEVICE, INF), (Tier.HOST, 9.9))
    policy = POLICY.model_copy(update={"least_gain": 0.02})
    assert not plan(items, budget_of(items, 10, 40, 0), policy)
    assert plan(items, budget_of(items, 10, 40, 0), policy.model_copy(update={"least_gain": 0.0}))


def test_prefetch_swaps_the_soonest_against_the_farthest() -> None:
    items = items_of((Tier.DEVICE, 50.0), (Tier.DEVICE, INF), (Tier.HOST, 2.0), (Tier.HOST, 90.0))
    made = plan(items, budget_of(items, 20, 40, 0), POLICY)
    assert moves(made.actions) == [
        ("npc1", Tier.DEVICE, Tier.HOST),
        ("npc2", Tier.HOST, Tier.DEVICE),
    ]
    assert made.actions[0].reason == "makes room for npc2; itself needed in inf s"
    assert made.actions[1].reason == "needed in 2.0 s"


def test_the_dearest_to_rebuild_per_byte_is_loaded_first_and_evicted_last() -> None:
    items = items_of((Tier.DEVICE, INF), (Tier.DEVICE, INF), (Tier.HOST, 1.0), (Tier.HOST, 1.0))
    items.rebuild_s[:] = [9.0, 1.0, 1.0, 9.0]
    once = Credit(10, 10, 0, 0.0)
    made = plan(items, budget_of(items, 20, 40, 0, credit=once), POLICY)
    assert [a.key for a in made.actions] == ["npc1", "npc3"]


def test_a_backed_up_item_is_evicted_without_credit_or_host_room() -> None:
    items = items_of((Tier.DEVICE, INF), (Tier.DISK, 1.0))
    items.backed_up[0] = True
    made = plan(items, budget_of(items, 10, 10, 10, credit=Credit(0, 0, 10, 0.0)), POLICY)
    assert moves(made.actions) == [
        ("npc0", Tier.DEVICE, Tier.HOST),
        ("npc1", Tier.DISK, Tier.DEVICE),
    ]


def test_a_full_host_passes_its_farthest_on_to_disk() -> None:
    items = items_of((Tier.DEVICE, 60.0), (Tier.HOST, INF), (Tier.HOST, 30.0), (Tier.DISK, 1.0))
    made = plan(items, budget_of(items, 10, 20, 40), POLICY)
    assert moves(made.actions) == [
        ("npc1", Tier.HOST, Tier.DISK),
        ("npc0", Tier.DEVICE, Tier.HOST),
        ("npc3", Tier.DISK, Tier.DEVICE),
    ]


def test_a_victim_farther_than_the_whole_host_goes_to_disk_else_is_dropped() -> None:
    items = items_of((Tier.DEVICE, INF), (Tier.HOST, 30.0), (Tier.HOST, 1.0))
    for disk, target in ((20, Tier.DISK), (0, Tier.ABSENT)):
        made = plan(items, budget_of(items, 10, 20, disk), POLICY)
        assert moves(made.actions)[0] == ("npc0", Tier.DEVICE, target)


def test_what_cannot_be_rebuilt_is_never_dropped() -> None:
    items = items_of((Tier.DEVICE, INF), (Tier.DEVICE, 50.0), (Tier.ABSENT, 1.0))
    items.rebuild_s[0] = INF
    made = plan(items, budget_of(items, 20, 0, 0), POLICY)
    assert moves(made.actions) == [
        ("npc1", Tier.DEVICE, Tier.ABSENT),
        ("npc2", Tier.ABSENT, Tier.DEVICE),
    ]


def test_absent_items_are_built_as_far_as_rebuild_credit_goes() -> None:
    items = items_of(*[(Tier.ABSENT, float(i)) for i in range(5)])
    made = plan(items, budget_of(items, 100, 0, 0, credit=Credit(0, 0, 0, 2.5)), POLICY)
    assert [a.key for a in made.actions] == ["npc0", "npc1"]


def test_an_item_larger_than_the_device_blocks_nobody() -> None:
    items = items_of((Tier.HOST, 1.0), (Tier.HOST, 2.0))
    items.size_bytes[0] = 1000
    made = plan(items, budget_of(items, 10, 2000, 0), POLICY)
    assert [a.key for a in made.actions] == ["npc1"]


def test_headroom_is_restored_from_beyond_the_horizon_only() -> None:
    policy = POLICY.model_copy(update={"device_headroom": 0.5})
    items = items_of((Tier.DEVICE, 60.0), (Tier.DEVICE, 1.0), (Tier.DEVICE, 2.0), (Tier.HOST, 3.0))
    made = plan(items, budget_of(items, 30, 40, 0), policy)
    assert moves(made.actions) == [("npc0", Tier.DEVICE, Tier.HOST)]


@pytest.mark.process
def test_the_planner_pulls_in_no_other_layer_and_no_heavy_dependency() -> None:
    """It runs inside SGLang's scheduler process, which has neither our settings nor our engine."""
    code = (
        "import sys; sys.path[:0] = ['sdk_python', 'server']; "
        "import callsheet_residency.planner; "
        "print(*(name for name in sys.modules if name.startswith('callsheet')), "
        "*sys.modules.keys() & {'small_gicp', 'torch'})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert set(loaded.stdout.split()) == {
        f"callsheet_residency{name}"
        for name in (
            "",
            ".actions",
            ".items",
            ".order",
            ".planner",
            ".settings",
            ".state",
            ".worth",
        )
    }


def test_a_demanded_item_is_not_displaced_by_those_who_make_room_for_it() -> None:
    items = items_of((Tier.DEVICE, 1.0), (Tier.HOST, INF))
    made = plan_demand(items, 1, budget_of(items, 10, 10, 0))
    assert moves(made.actions) == [
        ("npc0", Tier.DEVICE, Tier.ABSENT),
        ("npc1", Tier.HOST, Tier.DEVICE),
    ]


def test_what_is_read_from_files_that_stay_is_unloaded_for_nothing() -> None:
    credit = Credit(0, 0, 10, 0.0)
    prefixes = items_of((Tier.DEVICE, 60.0), (Tier.DISK, 1.0))
    weights = replace(prefixes, kind=StateKind.WEIGHTS)
    swap = [("npc0", Tier.DEVICE, Tier.DISK), ("npc1", Tier.DISK, Tier.DEVICE)]
    for items, wanted in ((prefixes, []), (weights, swap)):
        made = plan(items, budget_of(items, 10, 0, 30, credit=credit), POLICY)
        assert moves(made.actions) == wanted
