from __future__ import annotations

import math

import pytest

from callsheet import GameClock


class RealTime:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def real_time() -> RealTime:
    return RealTime()


@pytest.fixture
def clock(real_time: RealTime) -> GameClock:
    return GameClock(real_time)


def test_it_begins_at_nought_and_runs_with_real_time(clock: GameClock, real_time: RealTime) -> None:
    assert clock.time_s == 0.0
    real_time.now_s += 2.5
    assert clock.time_s == 2.5


def test_another_speed_changes_what_comes_and_not_what_was(
    clock: GameClock, real_time: RealTime
) -> None:
    real_time.now_s += 10.0
    clock.speed = 60.0
    assert clock.time_s == 10.0
    real_time.now_s += 1.0
    assert (clock.time_s, clock.speed) == (70.0, 60.0)
    clock.speed = 0.0
    real_time.now_s += 5.0
    assert clock.time_s == 70.0


def test_it_stands_still_while_it_is_paused(clock: GameClock, real_time: RealTime) -> None:
    real_time.now_s += 1.0
    clock.paused = True
    real_time.now_s += 100.0
    assert (clock.time_s, clock.paused) == (1.0, True)
    clock.skip(5.0)
    clock.paused = False
    real_time.now_s += 1.0
    assert clock.time_s == 7.0


def test_a_night_is_slept_through_and_yesterday_comes_back(
    clock: GameClock, real_time: RealTime
) -> None:
    clock.time_s = 22 * 3600.0
    clock.skip(8 * 3600.0)
    assert clock.time_s == 30 * 3600.0
    clock.time_s = 22 * 3600.0
    real_time.now_s += 1.0
    assert clock.time_s == 22 * 3600.0 + 1.0


@pytest.mark.parametrize("speed", [-1.0, math.nan, math.inf])
def test_a_clock_does_not_run_back(clock: GameClock, speed: float) -> None:
    with pytest.raises(ValueError, match="to go back, set time_s"):
        clock.speed = speed
