from __future__ import annotations

import numpy as np
import pytest
from distance.calling import habits_after
from distance.snapshots import INF, snapshot

from callsheet_server.distance.habits import Habits
from callsheet_server.distance.history import history

ALL = slice(None)


def test_before_the_first_call_it_knows_nothing() -> None:
    assert history(habits_after(2, {0: [5.0]}, 20.0), ALL)[1] == INF


def test_one_gap_proves_no_regularity() -> None:
    """After two calls it does not count down to a third."""
    assert history(habits_after(1, {0: [10.0, 40.0]}, 69.0), ALL)[0] > 20.0


def test_a_regular_caller_counts_down_and_moves_away_again_when_overdue() -> None:
    times_s = [60.0 * n for n in range(1, 9)]
    left_s = {
        now_s: float(history(habits_after(1, {0: times_s}, now_s), ALL)[0])
        for now_s in (490.0, 520.0, 538.0, 640.0)
    }
    assert left_s[490.0] == pytest.approx(50.0, abs=15.0)
    assert left_s[490.0] > left_s[520.0] > left_s[538.0]
    assert left_s[640.0] > left_s[538.0]


def test_an_irregular_caller_stays_a_mean_wait_away() -> None:
    draw = np.random.default_rng(1)
    times_s = (np.cumsum(draw.exponential(30.0, 40)) + 5.0).tolist()
    left_s = [
        float(history(habits_after(1, {0: times_s}, times_s[-1] + silent_s), ALL)[0])
        for silent_s in (60.0, 90.0)
    ]
    assert left_s[0] == pytest.approx(30.0, rel=0.5)
    assert left_s[1] == pytest.approx(left_s[0], rel=0.2)


def test_a_rate_fades_when_the_calls_stop() -> None:
    habits = habits_after(2, {0: [10.0 * n for n in range(1, 30)], 1: [5.0]}, 1500.0)
    steady, recent = habits.rates_per_s(ALL)
    assert recent[0] < steady[0] < 0.1
    assert steady[0] > steady[1]


def test_calls_before_an_npc_was_met_are_not_taken_for_new_ones() -> None:
    habits = Habits()
    assert len(habits.observe(snapshot(3, last_call_s=990.0))) == 0
    assert len(habits.observe(snapshot(3, last_call_s=[990.0, 1000.5, 990.0]))) == 1
