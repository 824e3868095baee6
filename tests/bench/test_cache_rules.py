"""Rules to compare with, on traces small enough to count by hand."""

from __future__ import annotations

import numpy as np

from callsheet_bench.cache_rules import BEFORE, FREE, Planning, play, play_arc
from callsheet_bench.orders import orders
from callsheet_residency.settings import PolicySettings
from callsheet_server.residency.policies import BELADY, NAIVE
from callsheet_server.tools.simulation import Links, TierBudgets, simulate
from callsheet_server.trace.generators.callers import periodic, poisson
from callsheet_server.trace.trace import Trace


def room(trace: Trace, share: float) -> int:
    return int(sum(npc.size_bytes for npc in trace.npcs) * share)


def test_lru_and_belady_agree_with_the_products_own_simulation() -> None:
    trace = poisson(7, npcs=40, seconds=200.0, gap_s=30.0).trace
    made, size = orders(trace), room(trace, 1.0)
    for order, policy in ((made.lru, NAIVE), (made.belady, BELADY)):
        ours = simulate(trace, policy, TierBudgets(room(trace, 0.25), size), Links())
        rule = play(trace, room(trace, 0.25), order.__getitem__)
        assert rule.calls == ours.calls
        assert abs(rule.hits - ours.on_device) <= 2


def test_an_oracle_with_free_swaps_beats_every_cache_on_regular_callers() -> None:
    made = periodic(8, npcs=40, seconds=400.0)
    assert made.chance is not None
    bytes_ = room(made.trace, 0.25)
    sooner = -made.chance
    oracle = play(made.trace, bytes_, sooner.__getitem__, FREE)
    lru = play(made.trace, bytes_, orders(made.trace).lru.__getitem__)
    assert oracle.hit_rate > 0.9
    assert oracle.hit_rate > max(lru.hit_rate, play_arc(made.trace, bytes_).hit_rate)


def test_a_rule_without_horizon_prefetches_nothing_and_room_for_all_is_missed_once_each() -> None:
    trace = poisson(9, npcs=10, seconds=200.0, gap_s=20.0).trace
    order = np.zeros((len(trace.ticks), 10), np.float32)
    everything = room(trace, 1.0)
    for played in (
        play(trace, everything, order.__getitem__, Planning()),
        play_arc(trace, everything),
    ):
        assert played.prefetches == 0
        assert played.calls - played.hits == len({call.row for call in trace.calls})


def test_the_rule_before_has_the_margins_of_the_planner_before() -> None:
    assert (BEFORE.horizon_s, BEFORE.margin_s) == (10.0, 1.0)
    assert PolicySettings().device_headroom == BEFORE.headroom
