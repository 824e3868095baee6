from __future__ import annotations

import numpy as np
import pytest

from callsheet_server.distance import Assumptions
from callsheet_server.tools.profile.activity import activity
from callsheet_server.tools.profile.predictability import predictability, rank_correlation
from callsheet_server.trace import Trace, TraceCall, TraceNpc, TraceTick

HORIZON_S = 10.0


def scheduled(calls_s: list[float], told_s: list[float], end_s: float = 60.0) -> Trace:
    """NPCs that stand apart; each calls once, and the game says at which time it will."""
    count = len(calls_s)
    npcs = tuple(TraceNpc(f"n{row}", 1.0, 0.0, 1000, 0.1) for row in range(count))
    trace = Trace("w", 3.0, 0.0, npcs)
    for number in range(int(end_s)):
        rows = np.arange(count if number == 0 else 0)
        trace.ticks.append(
            TraceTick(
                time_s=float(number),
                rows=rows,
                position_m=np.zeros((len(rows), 3), np.float32),
                velocity_mps=np.zeros((len(rows), 3), np.float32),
                scheduled_call_s=np.array(told_s)[rows],
                player_position_m=np.zeros((0, 3), np.float32),
                player_velocity_mps=np.zeros((0, 3), np.float32),
                player_rows=np.zeros(0, np.intp),
                inactive_rows=np.zeros(0, np.intp),
            )
        )
    for at_s, row in sorted((at_s, row) for row, at_s in enumerate(calls_s)):
        trace.calls.append(TraceCall(at_s, row, 1.0, 10))
    return trace


def test_what_was_told_and_kept_is_in_order_and_without_error() -> None:
    times_s = [20.0, 30.0, 40.0, 50.0]
    found = predictability(scheduled(times_s, times_s), Assumptions(), HORIZON_S)
    assert found.median_rank_correlation == pytest.approx(1.0)
    assert found.next_callers_foreseen == 1.0
    assert {e.estimator for e in found.errors} == {"schedule"}
    assert [(e.lookback_s, e.calls) for e in found.errors] == [(1.0, 4), (5.0, 4), (15.0, 4)]
    assert all(e.p10_s == e.p50_s == e.p90_s == 0.0 for e in found.errors)
    assert found.foreseen_share == {"1": 1.0, "5": 1.0}
    assert found.calibration
    for band in found.calibration:
        assert band.said_s == pytest.approx(band.seen_s, abs=0.05)


def test_who_calls_in_the_reverse_of_the_order_told_correlates_negatively() -> None:
    found = predictability(
        scheduled([20.0, 30.0, 40.0], [140.0, 130.0, 120.0]), Assumptions(), HORIZON_S
    )
    assert found.median_rank_correlation == pytest.approx(-1.0)
    assert {e.p50_s for e in found.errors} == {100.0}
    assert found.foreseen_share == {"1": 0.0, "5": 0.0}


def test_calls_of_which_nothing_was_known_are_not_expected() -> None:
    found = predictability(scheduled([20.0, 30.0, 40.0], [np.nan] * 3), Assumptions(), HORIZON_S)
    assert found.errors == []
    assert found.foreseen_share == {"1": 0.0, "5": 0.0}
    assert found.median_rank_correlation == 0.0


def test_too_few_have_no_order() -> None:
    one, two = np.array([1.0], np.float32), np.array([1.0, 2.0], np.float32)
    assert rank_correlation(one, one) is None
    assert rank_correlation(two, two) is None


def test_activity_by_hand() -> None:
    trace = scheduled([1.5, 1.6, 12.0, 30.0], [np.nan] * 4)
    found = activity(trace, step_s=10.0, window_s=15.0)
    assert found.time_s == [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    assert found.calling_share == [0.5, 0.25, 0.25, 0.0, 0.0, 0.0]
    assert found.working_set_npcs == [2, 1, 1, 1, 0, 0]
    assert found.working_set_bytes == [2000, 1000, 1000, 1000, 0, 0]
    assert found.ever_calling_share == 1.0
