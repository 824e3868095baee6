from __future__ import annotations

from callsheet.mod.schedule import Schedule
from callsheet.wire.world import ScheduledCall

KEY = ("guard.Guard", "bram")
CALLS = (
    ("once", ScheduledCall(at_s=50.0)),
    ("again", ScheduledCall(at_s=10.0, every_s=20.0)),
)


def due(schedule: Schedule, *times_s: float) -> list[list[str]]:
    return [schedule.take_due(KEY, CALLS, time_s) for time_s in times_s]


def test_each_is_due_once_at_its_time() -> None:
    assert due(Schedule(), 0.0, 9.0, 10.0, 11.0, 50.0, 51.0) == [
        [],
        [],
        ["again"],
        [],
        ["once", "again"],
        [],
    ]


def test_after_a_jump_ahead_each_is_due_once() -> None:
    assert due(Schedule(), 0.0, 1000.0, 1001.0) == [[], ["once", "again"], []]


def test_what_comes_after_a_clock_that_went_back_is_due_once_more() -> None:
    assert due(Schedule(), 40.0, 60.0, 40.0, 60.0) == [
        [],
        ["once", "again"],
        [],
        ["once", "again"],
    ]


def test_nothing_between_the_time_that_was_left_and_the_save_is_due() -> None:
    schedule = Schedule()
    due(schedule, 0.0)
    schedule.set_time(100.0, [KEY])
    assert due(schedule, 100.5, 110.0) == [[], ["again"]]
    schedule.set_time(49.0, [KEY])
    assert due(schedule, 50.0) == [["once", "again"]]


def test_who_came_after_a_load_begins_with_its_first_tick() -> None:
    schedule = Schedule()
    schedule.set_time(100.0, [])
    assert due(schedule, 200.0) == [[]]
