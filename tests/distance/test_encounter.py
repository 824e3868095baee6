from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from distance.snapshots import INF, NAN, snapshot
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.distance.encounter import (
    CELL_M,
    STRIPE_ROWS,
    EncounterState,
    encounter,
    nearest_sociable,
)
from callsheet_server.world.snapshot import Snapshot

SETTINGS = Assumptions(
    turn_fraction=0.25,
    follow_up_s=10.0,
    turn_gap_s=3.0,
    encounter_wait_s=5.0,
    encounter_cooldown_s=60.0,
    encounter_period_s=0.5,
)


def later(seen: Snapshot, seconds: float) -> Snapshot:
    return replace(seen, game_time_s=seen.game_time_s + seconds)


def two(**given: Any) -> Snapshot:
    return snapshot(2, **({"sociability": 1.0} | given))


def test_two_walking_towards_each_other_meet_and_then_wait() -> None:
    seen = two(
        position_m=[[0, 0, 0], [12, 0, 0]], velocity_mps=[[1, 0, 0], [-1, 0, 0]], sociability=0.5
    )
    time_s, _ = encounter(seen, SETTINGS)
    assert time_s.tolist() == pytest.approx([10.0 / 2.0 + 5.0 / 0.25] * 2)


@pytest.mark.parametrize("sociability", [[0.0, 1.0], [0.0, 0.0]])
def test_it_takes_two_sociable_npcs(sociability: list[float]) -> None:
    assert encounter(two(sociability=sociability), SETTINGS)[0].tolist() == [INF, INF]


def test_standing_together_counts_down_and_silence_moves_them_apart_again() -> None:
    seen, state, heard = two(), None, []
    for _ in range(17):
        time_s, state = encounter(seen, SETTINGS, state)
        heard.append(float(time_s[0]))
        seen = later(seen, 0.5)
    assert heard[::4] == [5.0, 3.0, 1.0, 1.0, 3.0]


def test_the_partner_of_who_has_just_spoken_answers_after_a_turn_gap() -> None:
    time_s, _ = encounter(two(last_call_s=[999.0, NAN]), SETTINGS)
    assert time_s.tolist() == [2.0, 2.0]


def test_who_rests_seeks_nobody_and_is_sought_by_nobody() -> None:
    assert encounter(two(last_call_s=[980.0, NAN]), SETTINGS)[0].tolist() == [INF, INF]
    assert np.isfinite(encounter(two(last_call_s=[930.0, NAN]), SETTINGS)[0]).all()


def test_between_runs_values_age_and_after_a_period_it_runs_again() -> None:
    first_s, state = encounter(two(), SETTINGS)
    apart = two(position_m=[[0, 0, 0], [1000, 0, 0]])
    aged_s, kept = encounter(later(apart, 0.25), SETTINGS, state)
    assert kept is state
    assert aged_s[0] == first_s[0] - 0.25
    anew_s, state = encounter(later(apart, 0.5), SETTINGS, state)
    assert anew_s[0] > 100.0
    assert state.run_s == 1000.5


def test_it_runs_at_once_when_time_goes_back_or_rows_are_added() -> None:
    _, state = encounter(two(), SETTINGS)
    assert encounter(later(two(), -1.0), SETTINGS, state)[1].run_s == 999.0
    three = later(snapshot(3, sociability=1.0), 0.1)
    assert encounter(three, SETTINGS, state)[1].run_s == 1000.1


def test_a_new_npc_on_an_old_row_inherits_nothing() -> None:
    _, state = encounter(two(), SETTINGS)
    reused = later(two(handle=[1, 77]), 0.25)
    assert encounter(reused, SETTINGS, state)[0].tolist() == [4.75, INF]
    anew_s, _ = encounter(later(reused, 10.0), SETTINGS, state)
    assert anew_s[1] == 5.0


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=40))
def test_partners_are_nearest_up_to_the_size_of_a_cell(spots: list[tuple[int, int]]) -> None:
    position_m = np.array([(x / 4, 0.0, z / 4) for x, z in spots], np.float32)
    seen = snapshot(len(spots), position_m=position_m, sociability=1.0)
    rows, partners = nearest_sociable(seen, SETTINGS)
    assert rows.tolist() == list(range(len(spots)))
    assert (rows != partners).all()
    apart = np.linalg.norm(position_m[:, None] - position_m[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    slack_m = 2 * CELL_M * 3**0.5
    assert (apart[rows, partners] <= apart.min(axis=1) + slack_m).all()


def test_a_crowd_on_one_spot_and_one_at_the_end_of_the_world() -> None:
    position_m = np.zeros((5000, 3), np.float32)
    position_m[-1] = 3e38
    time_s, _ = encounter(snapshot(5000, position_m=position_m, sociability=1.0), SETTINGS)
    assert (time_s[:-1] == 5.0).all()


def test_a_large_world_is_run_in_stripes_and_finds_the_same_neighbours() -> None:
    """After one period everybody but those at the seams has the value of a single run."""
    count = 3 * STRIPE_ROWS
    draw = np.random.default_rng(3)
    place_m = draw.uniform(0.0, 3_000.0, (count, 3)).astype(np.float32)
    place_m[:, 1] = 0.0
    seen = snapshot(count, position_m=place_m, sociability=1.0)
    state: EncounterState | None = None
    for number in range(60):
        now = replace(seen, game_time_s=1000.0 + number * 0.05)
        found_s, state = encounter(now, SETTINGS, state)
    assert state is not None
    rows, partners = nearest_sociable(now, SETTINGS)
    agree = state.partner[rows] == partners
    assert agree.mean() > 0.97
    assert np.isfinite(found_s).all()
