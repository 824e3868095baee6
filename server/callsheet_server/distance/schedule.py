"""Schedule: the next call the game itself announced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.world.snapshot import Snapshot

__all__ = ["schedule"]


def schedule(snapshot: Snapshot, assumed: Assumptions) -> NDArray[np.float32]:
    """(N,) float32 seconds until the announced call; +inf without an announcement.

    An overdue call counts as due now for ``schedule_grace_s``, then as not coming. A call that
    ended at or after the announced time has answered the announcement.
    """
    due_s = snapshot.scheduled_call_s
    with np.errstate(invalid="ignore"):
        left_s = (due_s - snapshot.game_time_s).astype(np.float32)
        void = ~(left_s >= -assumed.schedule_grace_s) | (snapshot.last_call_s >= due_s)
    left_s = np.maximum(left_s, np.float32(0.0))
    left_s[void] = np.inf
    return left_s
