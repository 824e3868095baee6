from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any

import pytest
from distance.calling import ticks
from distance.snapshots import INF, snapshot, snapshots
from hypothesis import given

from callsheet_server.distance import Assumptions, Estimator, Explanation, Forecast, explain
from callsheet_server.world.snapshot import Snapshot


def of_rows(seen: Snapshot, rows: Sequence[int]) -> Snapshot:
    by_row = (f for f in fields(Snapshot) if f.type.startswith("NDArray"))
    names = [f.name for f in by_row if not f.name.startswith("player")]
    return replace(seen, **{name: getattr(seen, name)[list(rows)] for name in names})


def explained(seen: Snapshot, row: int = 0) -> Explanation:
    forecast = Forecast(Assumptions())
    made = forecast.estimate(seen)
    return explain(lambda rows: of_rows(seen, rows), row, forecast, made)


@given(snapshots())
def test_an_explanation_agrees_with_the_estimate(seen: Snapshot) -> None:
    forecast = Forecast(Assumptions())
    made = forecast.estimate(seen)
    for row in range(len(seen.alive)):
        said = explained(seen, row)
        assert said.winner == made.winner[row]
        assert said.distance_s == pytest.approx(float(made.distance_s[row]), rel=1e-4, abs=1e-3)
        assert set(said.value_s) == set(Estimator) - {Estimator.NONE}
        assert set(said.why) == set(said.value_s)
        assert all(said.why.values())


@pytest.mark.parametrize(
    ("given_columns", "estimator", "why"),
    [
        ({"in_conversation": True}, Estimator.CONVERSATION, "a turn is open or queued"),
        ({"scheduled_call_s": 1012.5}, Estimator.SCHEDULE, "the game announced a call in 12.5 s"),
        ({"scheduled_call_s": 997.0}, Estimator.SCHEDULE, "the game announced a call 3.0 s ago"),
        ({}, Estimator.HISTORY, "expects no call"),
        ({"alive": False}, Estimator.SCHEDULE, "no active NPC is on this row"),
    ],
)
def test_the_reason_is_one_plain_line(
    given_columns: dict[str, Any], estimator: Estimator, why: str
) -> None:
    assert explained(snapshot(1, **given_columns)).why[estimator] == why


def test_a_caller_of_the_past_is_told_with_its_rate() -> None:
    forecast = Forecast(Assumptions())
    for seen in ticks(1, {0: [10.0, 22.0]}, 40.0):
        made = forecast.estimate(seen)
    said = explain(lambda rows: of_rows(seen, rows), 0, forecast, made)
    assert said.winner is Estimator.HISTORY
    assert said.why[Estimator.HISTORY].startswith("calls at random, every ")
    assert "the last 18.0 s ago (100% of the forecast)" in said.why[Estimator.HISTORY]


def test_the_reason_names_the_player_who_comes() -> None:
    seen = snapshot(
        1,
        2,
        player_position_m=[[100, 0, 0], [12.4, 0, 0]],
        player_velocity_mps=[[0, 0, 0], [-1.4, 0, 0]],
        npc_max_speed_mps=0.0,
    )
    assert explained(seen).why[Estimator.PROXIMITY] == (
        "player 12.4 m away, closing at 1.4 m/s (100% of the forecast)"
    )


def test_the_reason_names_the_npc_it_meets() -> None:
    seen = snapshot(2, position_m=[[0, 0, 0], [1, 0, 0]], sociability=1.0, handle=[5, 9])
    said = explained(seen)
    assert said.winner is Estimator.ENCOUNTER
    assert said.why[Estimator.ENCOUNTER] == (
        "sociable NPC (handle 9) 1.0 m away, coming no nearer (100% of the forecast)"
    )


def test_a_dead_row() -> None:
    assert explained(snapshot(1, alive=False)).distance_s == INF


def test_one_row_is_looked_at_whatever_the_world_holds() -> None:
    seen = snapshot(5_000, 64, position_m=[[i, 0, 0] for i in range(5_000)], sociability=1.0)
    forecast, asked = Forecast(Assumptions()), []
    forecast.estimate(seen)
    last = forecast.estimate(replace(seen, game_time_s=1000.1))

    def few(rows: Sequence[int]) -> Snapshot:
        asked.append(len(rows))
        return of_rows(seen, rows)

    said = explain(few, 7, forecast, last)
    assert said.distance_s == pytest.approx(float(last.distance_s[7]))
    assert max(asked) <= 2


def test_before_an_estimate_nobody_is_near_and_what_is_the_npcs_own_is_known() -> None:
    seen = snapshot(2, 1, scheduled_call_s=1005.0, sociability=1.0)
    forecast = Forecast(Assumptions())
    for last in (None, forecast.estimate(snapshot(0))):
        said = explain(lambda rows: of_rows(seen, rows), 1, forecast, last)
        assert (said.winner, said.distance_s) == (Estimator.SCHEDULE, 5.0)
        assert said.value_s[Estimator.PROXIMITY] == said.value_s[Estimator.ENCOUNTER] == INF


def test_the_outlook_is_the_chance_of_a_call_once_enough_have_come() -> None:
    forecast = Forecast(Assumptions())
    calls = {row: [12.0 * n + row for n in range(1, 12)] for row in range(4)}
    for seen in ticks(6, calls, 130.0):
        made = forecast.estimate(seen)
        if seen.game_time_s == 20.0:
            assert explain(partial(of_rows, seen), 5, forecast, made).outlook is None
    outlook = explain(partial(of_rows, seen), 0, forecast, made).outlook
    assert outlook is not None
    chances = [int(share) for share in re.findall(r"within \d+ s: (\d+)%", outlook)]
    assert chances == sorted(chances)
    assert len(chances) == 3
    assert chances[2] > 10
