from __future__ import annotations

import pytest
from distance.snapshots import INF, NAN, snapshot

from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.distance.schedule import schedule

SETTINGS = Assumptions(schedule_grace_s=10.0)


@pytest.mark.parametrize(
    ("due_s", "last_call_s", "left_s"),
    [
        (NAN, NAN, INF),
        (1025.5, NAN, 25.5),
        (1025.5, 990.0, 25.5),
        (1000.0, NAN, 0.0),
        (990.0, NAN, 0.0),
        (989.0, NAN, INF),
        (995.0, 994.0, 0.0),
        (995.0, 996.0, INF),
    ],
)
def test_announced_overdue_answered_and_forgotten(
    due_s: float, last_call_s: float, left_s: float
) -> None:
    seen = snapshot(1, scheduled_call_s=due_s, last_call_s=last_call_s)
    assert schedule(seen, SETTINGS).tolist() == [left_s]


def test_late_in_a_long_game_a_second_is_still_a_second() -> None:
    seen = snapshot(1, game_time_s=1e8, scheduled_call_s=1e8 + 0.25)
    assert schedule(seen, SETTINGS)[0] == 0.25
