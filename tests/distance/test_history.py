from __future__ import annotations

import numpy as np
import pytest
from distance.calling import habits_after
from distance.snapshots import INF, snapshot

from callsheet_residency.worth import TAU_S
from callsheet_server.distance.habits import Habits
from callsheet_server.distance.history import history, renewal

ALL = slice(None)


def test_before_the_first_call_it_knows_nothing() -> None:
    assert history(habits_after(2, {0: [5.0]}, 20.0), ALL).left_s[1] == INF


def test_one_gap_proves_no_regularity() -> None:
    """After two calls it does not count down to a third."""
    assert history(habits_after(1, {0: [10.0, 40.0]}, 69.0), ALL).left_s[0] > 20.0


def test_a_regular_caller_counts_down_and_is_due_when_overdue() -> None:
    times_s = [60.0 * n for n in range(1, 9)]
    left_s = {
        now_s: float(history(habits_after(1, {0: times_s}, now_s), ALL).left_s[0])
        for now_s in (490.0, 520.0, 538.0, 560.0)
    }
    assert 15.0 < left_s[490.0] < 50.0
    assert left_s[490.0] > left_s[520.0] > left_s[538.0] > left_s[560.0]


def test_the_hazard_of_a_habit_is_that_of_the_normal_distribution() -> None:
    """Against the integral of exp(-wait / tau) over the gaps that are left."""
    elapsed_s, gap_s, spread = np.array([0.0, 40.0, 60.0, 75.0]), np.full(4, 60.0), np.full(4, 0.15)
    gaps_s = np.linspace(0.0, 200.0, 200_001)
    weight = np.exp(-(((gaps_s - 60.0) / 9.0) ** 2) / 2.0)
    wanted = []
    for since_s in elapsed_s.tolist():
        left = gaps_s > since_s
        waits_s = gaps_s[left] - since_s
        wanted.append(float((weight[left] * np.exp(-waits_s / TAU_S)).sum() / weight[left].sum()))
    assert renewal(elapsed_s, gap_s, spread) == pytest.approx(np.array(wanted), rel=0.05)


def test_in_a_world_of_regular_callers_one_gap_is_enough() -> None:
    """The spread of the others' gaps is taken for that of an NPC whose gap was seen once."""
    others = {row: [row + 30.0 * n for n in range(1, 12)] for row in range(1, 12)}
    left_s = history(habits_after(12, others | {0: [280.0, 330.0]}, 379.0), ALL).left_s[0]
    assert left_s < 5.0


def test_calls_that_follow_anothers_count_less_as_unprompted() -> None:
    calls = {0: [40.0 * n for n in range(1, 20)], 1: [40.0 * n + 3.0 for n in range(1, 20)]}
    calls |= {2: [1.0, 300.0], 3: [77.0, 555.0]}
    steady, _, unprompted = habits_after(4, calls, 780.0).rates_per_s(ALL)
    assert steady[1] == pytest.approx(steady[0], rel=0.1)
    assert unprompted[1] < 0.6 * unprompted[0]


def test_an_irregular_caller_stays_a_mean_wait_away() -> None:
    draw = np.random.default_rng(1)
    times_s = (np.cumsum(draw.exponential(30.0, 40)) + 5.0).tolist()
    left_s = [
        float(history(habits_after(1, {0: times_s}, times_s[-1] + silent_s), ALL).left_s[0])
        for silent_s in (60.0, 90.0)
    ]
    assert left_s[0] == pytest.approx(30.0, rel=0.5)
    assert left_s[1] == pytest.approx(left_s[0], rel=0.2)


def test_a_rate_fades_when_the_calls_stop() -> None:
    habits = habits_after(2, {0: [10.0 * n for n in range(1, 30)], 1: [5.0]}, 1500.0)
    steady, recent, _ = habits.rates_per_s(ALL)
    assert recent[0] < steady[0] < 0.1
    assert steady[0] > steady[1]


def test_calls_before_an_npc_was_met_are_not_taken_for_new_ones() -> None:
    habits = Habits()
    assert len(habits.observe(snapshot(3, last_call_s=990.0))) == 0
    assert len(habits.observe(snapshot(3, last_call_s=[990.0, 1000.5, 990.0]))) == 1
