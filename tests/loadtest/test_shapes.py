import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_loadtest.shapes import SHAPES, flash_at, games_at, stampedes_by

progress = st.floats(0, 1)


@given(shape=st.sampled_from(sorted(SHAPES)), at=progress, games=st.integers(1, 500))
def test_there_is_always_a_game_and_never_too_many(shape: str, at: float, games: int) -> None:
    assert 1 <= games_at(shape, at, games) <= games


@pytest.mark.parametrize("shape", ["steady", "flash-crowd", "stampede"])
def test_all_games_are_there_from_the_start(shape: str) -> None:
    assert {games_at(shape, at / 10, 50) for at in range(11)} == {50}


@given(earlier=progress, later=progress)
def test_the_ramp_only_climbs(earlier: float, later: float) -> None:
    earlier, later = sorted((earlier, later))
    assert games_at("ramp", earlier, 50) <= games_at("ramp", later, 50)


def test_the_ramp_reaches_all_games_at_80_percent() -> None:
    assert [games_at("ramp", at, 50) for at in (0.0, 0.4, 0.8, 1.0)] == [1, 25, 50, 50]


def test_the_rush_hour_is_full_in_the_middle_and_quiet_at_both_ends() -> None:
    at = [games_at("rush-hour", share, 50) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert at == [10, 50, 50, 50, 10]


def test_only_the_flash_crowd_gathers_and_only_in_the_middle_third() -> None:
    assert [flash_at("flash-crowd", at) for at in (0.0, 0.33, 0.5, 0.67, 1.0)] == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert not any(flash_at(shape, 0.5) for shape in SHAPES if shape != "flash-crowd")


def test_the_stampede_comes_twice() -> None:
    assert [stampedes_by("stampede", at) for at in (0.0, 0.39, 0.4, 0.7, 1.0)] == [0, 0, 1, 2, 2]
    assert stampedes_by("steady", 1.0) == 0
