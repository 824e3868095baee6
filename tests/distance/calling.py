"""Worlds in which NPCs call at known times, for tests of what is learned from calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from distance.snapshots import NAN, snapshot

from callsheet_server.distance.habits import Habits
from callsheet_server.world.snapshot import Snapshot

TICK_S = 0.5
REPLY_S = 1.0


def ticks(
    npcs: int, calls: Mapping[int, Sequence[float]], until_s: float, **columns: Any
) -> Iterator[Snapshot]:
    """Snapshots from 0 to ``until_s``; ``calls`` has the times of each row's calls."""
    for number in range(round(until_s / TICK_S) + 1):
        now_s = number * TICK_S
        talking, last_s = np.zeros(npcs, np.bool_), np.full(npcs, NAN)
        for row, times_s in calls.items():
            begun = [time_s for time_s in times_s if time_s <= now_s]
            ended = [time_s + REPLY_S for time_s in begun if time_s + REPLY_S <= now_s]
            talking[row] = len(begun) > len(ended)
            last_s[row] = ended[-1] if ended else NAN
        yield snapshot(
            npcs, game_time_s=now_s, in_conversation=talking, last_call_s=last_s, **columns
        )


def habits_after(npcs: int, calls: Mapping[int, Sequence[float]], until_s: float) -> Habits:
    """Habits as they are known at ``until_s``."""
    habits = Habits()
    for seen in ticks(npcs, calls, until_s):
        habits.observe(seen)
    return habits
