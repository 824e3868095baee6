from __future__ import annotations

import pytest
from distance.snapshots import INF, NAN, snapshot

from callsheet_server.distance.history import history


def left_s(elapsed_s: float, mean_s: float, std_s: float) -> float:
    seen = snapshot(1, last_call_s=1000.0 - elapsed_s, call_gap_mean_s=mean_s, call_gap_std_s=std_s)
    return float(history(seen)[0])


def test_below_two_calls_it_knows_nothing() -> None:
    assert left_s(NAN, NAN, NAN) == INF
    assert left_s(5.0, NAN, NAN) == INF


def test_a_regular_caller_counts_down() -> None:
    assert [left_s(e, 60.0, 0.0) for e in (0.0, 20.0, 60.0)] == [60.0, 40.0, 0.0]


def test_a_memoryless_caller_stays_about_a_mean_gap_away() -> None:
    assert all(60.0 <= left_s(e, 60.0, 60.0) <= 85.0 for e in (0.0, 30.0, 60.0, 110.0))


def test_a_long_overdue_caller_moves_away_again() -> None:
    assert left_s(600.0, 60.0, 5.0) == pytest.approx(540.0, rel=0.01)
