"""Worlds whose rules differ: the forecast learns which evidence is worth something there."""

from __future__ import annotations

import numpy as np
import pytest
from distance.calling import ticks
from distance.snapshots import INF, snapshot

from callsheet_residency.worth import TAU_S
from callsheet_server.distance import Assumptions, Estimator, Forecast
from callsheet_server.distance.forecast import ENOUGH_CALLS, ROWS_PER_ESTIMATE
from callsheet_server.distance.model import CallModel, certain_s, solve


def test_before_enough_calls_it_is_the_smallest_estimate_in_plain_seconds() -> None:
    calls = {0: [10.0 * n for n in range(1, ENOUGH_CALLS)]}
    forecast = Forecast(Assumptions())
    for seen in ticks(2, calls, 150.0):
        made = forecast.estimate(seen)
        assert made.distance_s[1] == INF
    assert made.winner[0] in (Estimator.HISTORY, Estimator.CONVERSATION)


def test_announced_calls_stay_exact_whatever_was_learned() -> None:
    calls = {row: [7.0 * n + row for n in range(1, 30)] for row in range(4)}
    forecast = Forecast(Assumptions())
    for seen in ticks(6, calls, 200.0, scheduled_call_s=[np.nan] * 5 + [201.5]):
        made = forecast.estimate(seen)
    assert forecast.habits.seen_calls > ENOUGH_CALLS
    assert made.distance_s[5] == 1.5
    assert made.winner[5] == Estimator.SCHEDULE


def test_a_frequent_caller_is_nearer_than_a_rare_one() -> None:
    draw = np.random.default_rng(4)
    calls = {
        row: np.cumsum(draw.exponential(12.0 if row < 4 else 120.0, 60)).tolist()
        for row in range(12)
    }
    forecast = Forecast(Assumptions())
    for seen in ticks(12, calls, 400.0):
        made = forecast.estimate(seen)
    free = ~seen.in_conversation
    often, rarely = made.distance_s[:4][free[:4]], made.distance_s[4:][free[4:]]
    assert np.median(often) < np.median(rarely)


def test_what_is_said_is_what_comes() -> None:
    """Calibration: the mean of the discounted calls foretold is that of those that came."""
    draw = np.random.default_rng(5)
    calls = {row: np.cumsum(draw.exponential(10.0 + 3.0 * row, 80)).tolist() for row in range(20)}
    forecast, said, came = Forecast(Assumptions()), [], []
    for seen in ticks(20, calls, 500.0):
        made = forecast.estimate(seen)
        if seen.game_time_s > 200.0:
            for row in np.flatnonzero(~seen.in_conversation).tolist():
                left_s = [t - seen.game_time_s for t in calls[row] if t > seen.game_time_s]
                said.append(np.exp(-made.distance_s[row] / TAU_S))
                came.append(np.exp(-min(left_s, default=INF) / TAU_S))
    assert np.mean(said) == pytest.approx(np.mean(came), rel=0.3)


def test_a_large_world_is_read_in_turns_and_everybody_has_a_distance() -> None:
    count = 2 * ROWS_PER_ESTIMATE + 100
    forecast = Forecast(Assumptions())
    seen = snapshot(count, 1, player_position_m=[9.0, 0.0, 0.0])
    first = forecast.estimate(seen)
    assert np.isfinite(first.distance_s).sum() == ROWS_PER_ESTIMATE
    for _ in range(2):
        last = forecast.estimate(seen)
    assert np.isfinite(last.distance_s).all()


def test_certain_calls_have_the_distance_of_their_time() -> None:
    seconds = np.array([0.5, 2.0, 8.0])
    worth = np.exp(-seconds / TAU_S)
    logit = np.log(worth / (1.0 - worth)).astype(np.float32)
    assert certain_s(logit) == pytest.approx(seconds, rel=1e-4)


def test_the_solver_agrees_with_lapack() -> None:
    draw = np.random.default_rng(6)
    rows = draw.normal(size=(80, 30))
    matrix, wanted = rows.T @ rows + 10.0 * np.eye(30), draw.normal(size=30)
    assert solve(matrix, wanted) == pytest.approx(np.linalg.solve(matrix, wanted), abs=1e-3)
    assert CallModel().precision.shape[0] == len(CallModel().weight)


def test_it_forgets_when_the_game_changes() -> None:
    """Those who called most fall silent, and others call in their stead."""
    draw = np.random.default_rng(8)
    calls = {
        row: (200.0 + np.cumsum(draw.exponential(15.0, 60)) * (row >= 4)).tolist()
        if row >= 4
        else [t for t in np.cumsum(draw.exponential(15.0, 60)).tolist() if t < 200.0]
        for row in range(8)
    }
    forecast = Forecast(Assumptions())
    nearer = {}
    for seen in ticks(8, calls, 500.0):
        made = forecast.estimate(seen)
        free = ~seen.in_conversation
        old, new = made.distance_s[:4][free[:4]], made.distance_s[4:][free[4:]]
        if seen.game_time_s in (195.0, 500.0):
            nearer[seen.game_time_s] = np.median(old) < np.median(new)
    assert nearer == {195.0: True, 500.0: False}
