from __future__ import annotations

from typing import Any

import pytest
from distance.snapshots import INF, NAN, snapshot, snapshots
from hypothesis import given

from callsheet_server.distance import Assumptions, Estimator, Explanation, Forecast, explain
from callsheet_server.world.snapshot import Snapshot


def explained(seen: Snapshot, row: int) -> Explanation:
    forecast = Forecast(Assumptions())
    return explain(seen, row, forecast, forecast.estimate(seen))


@given(snapshots())
def test_an_explanation_agrees_with_the_estimate(seen: Snapshot) -> None:
    forecast = Forecast(Assumptions())
    made = forecast.estimate(seen)
    for row in range(len(seen.alive)):
        said = explain(seen, row, forecast, made)
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
        (
            {"last_call_s": 990.0},
            Estimator.HISTORY,
            "calls at random, every 15.0 s on average, the last 0.0 s ago (100% of the forecast)",
        ),
        ({}, Estimator.HISTORY, "expects no call"),
        ({"alive": False}, Estimator.SCHEDULE, "no active NPC is on this row"),
    ],
)
def test_the_reason_is_one_plain_line(
    given_columns: dict[str, Any], estimator: Estimator, why: str
) -> None:
    assert explained(snapshot(1, **given_columns), 0).why[estimator] == why


def test_the_reason_names_the_player_who_comes() -> None:
    seen = snapshot(
        1,
        2,
        player_position_m=[[100, 0, 0], [12.4, 0, 0]],
        player_velocity_mps=[[0, 0, 0], [-1.4, 0, 0]],
        npc_max_speed_mps=0.0,
    )
    assert (
        explained(seen, 0).why[Estimator.PROXIMITY]
        == "player 12.4 m away, closing at 1.4 m/s (100% of the forecast)"
    )


def test_the_reason_names_the_npc_it_meets() -> None:
    seen = snapshot(2, position_m=[[0, 0, 0], [1, 0, 0]], sociability=1.0, handle=[5, 9])
    said = explained(seen, 0)
    assert said.winner is Estimator.ENCOUNTER
    assert said.why[Estimator.ENCOUNTER] == (
        "sociable NPC (handle 9) 1.0 m away, coming no nearer (100% of the forecast)"
    )


def test_a_dead_row_and_a_missing_one() -> None:
    assert explained(snapshot(1, alive=False), 0).distance_s == INF
    with pytest.raises(IndexError, match="row 3 is out of range: the snapshot has 1 rows"):
        explained(snapshot(1, last_call_s=NAN), 3)
