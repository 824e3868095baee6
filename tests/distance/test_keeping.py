from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from distance.calling import ticks

from callsheet_server.distance import Assumptions, Forecast
from callsheet_server.distance.keeping import kept, remember

CALLS: Mapping[int, Sequence[float]] = {
    0: [20.0 * n for n in range(1, 20)],
    1: [20.0 * n + 3.0 for n in range(1, 19)],
    2: [50.0, 130.0],
}


def taught() -> Forecast:
    forecast = Forecast(Assumptions())
    for seen in ticks(4, CALLS, 390.0):
        forecast.estimate(seen)
    return forecast


def test_what_was_learned_survives_a_restart() -> None:
    before, after = taught(), Forecast(Assumptions())
    remember(after, json.loads(json.dumps(kept(before))))
    (seen,) = list(ticks(4, CALLS, 390.0))[-1:]
    after.estimate(seen)
    assert after.model.weight == pytest.approx(before.model.weight, abs=1e-4)
    rows = slice(0, 3)
    for one, other in zip(
        before.habits.rates_per_s(rows), after.habits.rates_per_s(rows), strict=True
    ):
        assert one == pytest.approx(other, rel=0.2)
    assert after.habits.gap_s[:3] == pytest.approx(before.habits.gap_s[:3], abs=1e-2)
    assert after.habits.chains.followers()[1][2] == before.habits.chains.followers()[1][2]


def test_an_npc_on_the_row_of_another_inherits_no_habits() -> None:
    after = Forecast(Assumptions())
    remember(after, kept(taught()))
    after.estimate(next(ticks(4, {}, 0.0, handle=[7, 8, 9, 10])))
    assert (after.habits.calls == 0.0).all()


def test_an_unknown_version_is_learned_anew() -> None:
    after = Forecast(Assumptions())
    remember(after, kept(taught()) | {"version": 99})
    assert after.habits.seen_calls == 0
    assert np.array_equal(after.model.weight, Forecast(Assumptions()).model.weight)
    remember(after, {})


def test_what_was_learned_survives_a_clock_that_goes_back() -> None:
    """A save was loaded: the NPCs are the same, and time begins earlier."""
    forecast = taught()
    weight, calls = forecast.model.weight.copy(), forecast.habits.calls.copy()
    for seen in ticks(4, {}, 30.0):
        made = forecast.estimate(seen)
        assert (made.distance_s >= 0.0).all()
    assert forecast.habits.calls.tolist() == calls.tolist()
    assert np.abs(forecast.model.weight - weight).max() < 1.0


def test_other_npcs_of_the_game_begin_with_its_weights_and_no_habits() -> None:
    before = taught()
    after = before.of_others()
    assert after.model.weight.tolist() == before.model.weight.tolist()
    assert after.habits.seen_calls == 0
