from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.distance import Distances, Estimator
from callsheet_server.telemetry.predictions import LOOKBACKS_S, SPACING_S, Prediction, Predictions


def at(now_s: float, *rows: tuple[Estimator, float]) -> Distances:
    winner = np.array([estimator for estimator, _ in rows], np.uint8)
    distance_s = np.array([value_s for _, value_s in rows], np.float32)
    return Distances(now_s, distance_s, winner)


HANDLE = np.array([7], np.uint32)


def test_a_prediction_is_that_of_the_latest_distances_old_enough() -> None:
    predictions = Predictions()
    for second in range(21):
        predictions.record(at(float(second), (Estimator.SCHEDULE, 40.0 - second)), HANDLE)
    found = list(predictions.before(0, 7, 20.5))
    assert [(p.lookback_s, p.estimator) for p in found] == [
        (lookback_s, Estimator.SCHEDULE) for lookback_s in LOOKBACKS_S
    ]
    assert [p.error_s for p in found] == [40.0 - 20.5] * 3


def test_nothing_is_said_of_times_before_the_npc_or_while_it_talked() -> None:
    predictions = Predictions()
    predictions.record(at(0.0), np.zeros(0, np.uint32))
    predictions.record(at(4.0, (Estimator.HISTORY, 9.0)), np.array([6], np.uint32))
    predictions.record(at(6.0, (Estimator.CONVERSATION, 0.0)), HANDLE)
    predictions.record(at(12.0, (Estimator.NONE, np.inf)), HANDLE)
    assert list(predictions.before(0, 7, 2.0)) == []
    assert list(predictions.before(0, 7, 9.5)) == []
    assert list(predictions.before(0, 7, 13.0)) == [Prediction(1.0, Estimator.NONE, np.inf, 1.0)]


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=200))
def test_what_is_kept_is_bounded_and_reaches_back_far_enough(steps_s: list[float]) -> None:
    predictions, now_s = Predictions(), 0.0
    times_s = []
    for step_s in steps_s:
        now_s += step_s
        times_s.append(now_s)
        predictions.record(at(now_s, (Estimator.PROXIMITY, 5.0)), HANDLE)
    assert len(predictions._kept) <= LOOKBACKS_S[-1] / SPACING_S + 2
    found = {p.lookback_s: p.gap_s for p in predictions.before(0, 7, now_s)}
    for lookback_s in LOOKBACKS_S:
        old_enough = [t for t in times_s if t <= now_s - lookback_s]
        if old_enough:
            assert lookback_s <= found[lookback_s] < now_s - max(old_enough) + SPACING_S + 1e-6
