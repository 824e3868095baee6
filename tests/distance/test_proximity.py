from __future__ import annotations

import numpy as np
import pytest
from distance.snapshots import INF, snapshot
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.distance.proximity import proximity

SETTINGS = Assumptions(turn_fraction=0.25, follow_up_s=10.0, talk_cooldown_s=15.0)
BOUND = Assumptions(turn_fraction=1.0)


def test_without_players_nobody_is_expected() -> None:
    assert proximity(snapshot(3), SETTINGS).tolist() == [INF] * 3


def test_a_player_walking_here_arrives_when_the_gap_is_closed() -> None:
    seen = snapshot(1, 1, player_position_m=[12.0, 0, 0], player_velocity_mps=[-4.0, 0, 0])
    assert proximity(seen, SETTINGS)[0] == pytest.approx(10.0 / 4.0)


def test_a_player_walking_away_is_still_expected_but_later() -> None:
    seen = snapshot(1, 1, player_position_m=[12.0, 0, 0], player_velocity_mps=[4.0, 0, 0])
    assert proximity(seen, SETTINGS)[0] == pytest.approx(10.0 / (0.25 * 8.0))


def test_the_soonest_player_counts_not_the_nearest() -> None:
    seen = snapshot(
        1,
        2,
        player_position_m=[[10.0, 0, 0], [0, 0, 14.0]],
        player_velocity_mps=[[6.0, 0, 0], [0, 0, -6.0]],
    )
    assert proximity(seen, SETTINGS)[0] == pytest.approx(2.0)


@given(
    st.lists(st.floats(-50, 50, width=32), min_size=3, max_size=3),
    st.floats(0.0, 6.283),
    st.floats(0.0, 6.0),
)
def test_with_full_turn_fraction_it_is_a_lower_bound_on_any_walk(
    start_m: list[float], heading: float, speed_mps: float
) -> None:
    velocity = [speed_mps * np.cos(heading), 0.0, speed_mps * np.sin(heading)]
    seen = snapshot(1, 1, player_position_m=start_m, player_velocity_mps=velocity)
    bound_s = float(proximity(seen, BOUND)[0])
    gap_m = max(float(np.linalg.norm(np.array(start_m, np.float32))) - 2.0, 0.0)
    assert bound_s <= gap_m / 6.0 + 1e-3
    assert float(proximity(seen, SETTINGS)[0]) >= bound_s - 1e-4


def test_within_reach_it_is_zero_even_if_nobody_can_move() -> None:
    seen = snapshot(1, 1, player_max_speed_mps=0.0, npc_max_speed_mps=0.0)
    assert proximity(seen, SETTINGS)[0] == 0.0


@pytest.mark.parametrize(
    ("ago_s", "expected_s"), [(5.0, 0.0), (10.0, 0.0), (11.0, 4.0), (16.0, 0.0)]
)
def test_after_a_talk_comes_a_follow_up_and_then_a_cooldown(
    ago_s: float, expected_s: float
) -> None:
    seen = snapshot(1, 1, last_call_s=1000.0 - ago_s)
    assert proximity(seen, SETTINGS)[0] == pytest.approx(expected_s)


def test_a_player_in_a_talk_is_expected_by_the_others_only_after_it() -> None:
    seen = snapshot(3, 1, last_call_s=[996.0, float("nan"), 900.0])
    assert proximity(seen, SETTINGS).tolist() == [0.0, 6.0, 6.0]
