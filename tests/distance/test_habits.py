from __future__ import annotations

import numpy as np
from distance.snapshots import snapshot

from callsheet_server.distance.habits import Habits


def test_one_who_spawns_costs_no_copy_of_everybodys_habits() -> None:
    habits, copies = Habits(), 0
    habits.observe(snapshot(1_000))
    before = habits.begun_s
    for count in range(1_001, 1_101):
        habits.observe(snapshot(count))
        copies += not np.shares_memory(before, habits.begun_s)
        before = habits.begun_s
    assert copies <= 1
