"""Said against seen, and what each source is worth."""

from __future__ import annotations

import numpy as np
import pytest
from distance.calling import ticks

from callsheet_residency.worth import TAU_S
from callsheet_server.distance import Assumptions, Estimator, Forecast, Record
from callsheet_server.distance.evidence import encode, unknown
from callsheet_server.distance.forecast import ENOUGH_CALLS
from callsheet_server.distance.lessons import Lesson
from callsheet_server.distance.record import LEARNED, chance_within


def played(calls: dict[int, list[float]], npcs: int, until_s: float) -> Forecast:
    forecast = Forecast(Assumptions())
    for seen in ticks(npcs, calls, until_s):
        forecast.estimate(seen)
    return forecast


def lesson(logit: list[float], raised: list[dict[Estimator, float]]) -> Lesson:
    parts = np.zeros((len(logit), len(Estimator)), np.float32)
    for row, by_source in enumerate(raised):
        for source, part in by_source.items():
            parts[row, source] = part
    evidence = encode(unknown(0.1)).take(np.zeros(len(logit), np.intp))
    handle = np.arange(len(logit), dtype=np.uint32)
    return Lesson(0.0, handle, evidence, np.array(logit, np.float32), parts, 1.0)


def test_a_caller_at_random_calls_within_some_seconds_by_its_rate() -> None:
    every_s = 10.0
    distance_s = np.array([TAU_S * np.log1p(every_s / TAU_S)], np.float32)
    for within_s in (2.0, 5.0, 10.0):
        wanted = 1.0 - np.exp(-within_s / every_s)
        assert chance_within(distance_s, within_s)[0] == pytest.approx(wanted, rel=1e-4)
    assert chance_within(np.array([0.0, np.inf], np.float32), 5.0).tolist() == [1.0, 0.0]


def test_each_look_counts_in_the_band_of_its_chance_and_by_whether_a_call_came() -> None:
    record = Record()
    record.take(lesson([4.0, -6.0, -np.inf], [{}, {}, {}]), np.array([1.0, np.inf, 7.0]))
    assert record.looks.tolist() == [[2, 0, 1]] * 3
    assert record.came.tolist() == [[0, 0, 1], [0, 0, 1], [1, 0, 1]]
    assert record.said[:, 2] == pytest.approx([1.0] * 3, abs=1e-6)
    assert record.callers == 1


def test_a_source_is_worth_the_callers_that_it_alone_puts_in_front() -> None:
    record = Record()
    history = [{Estimator.HISTORY: 3.0}, {}, {}, {}]
    record.take(lesson([1.0, -1.0, -1.0, -1.5], history), np.array([2.0, np.inf, np.inf, np.inf]))
    assert (record.callers, record.foremost) == (1, 1)
    assert record.foremost_without[Estimator.HISTORY] == 0
    others = [source for source in LEARNED if source is not Estimator.HISTORY]
    assert [record.foremost_without[source] for source in others] == [1] * len(others)


def test_where_people_call_at_random_what_is_said_is_what_comes() -> None:
    draw = np.random.default_rng(5)
    calls = {row: np.cumsum(draw.exponential(8.0 + 4.0 * row, 80)).tolist() for row in range(16)}
    forecast = played(calls, 16, 500.0)
    record = forecast.record
    assert record.looks.sum(axis=1).min() > 5_000
    assert record.said.sum(axis=1) == pytest.approx(record.came.sum(axis=1), rel=0.2)
    assert record.foremost > record.foremost_without[Estimator.HISTORY]


def test_a_world_with_few_calls_has_no_record() -> None:
    calls = {0: [10.0 * n for n in range(1, ENOUGH_CALLS)]}
    assert not played(calls, 2, 150.0).record.looks.any()
