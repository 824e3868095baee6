"""History: what past calls say about the next one.

A regular caller counts down to its next call: with ``elapsed`` seconds since the last one and gaps
of mean m and standard deviation s the value is sqrt(E[(gap - elapsed)^2]) = hypot(m - elapsed, s),
which moves away again when the call stays out. For anybody else it is the mean wait at the rate of
its past calls. Both are drawn towards the usual NPC until enough calls were seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance.habits import REGULAR_SPREAD, Habits, Rows

__all__ = ["history"]


def history(habits: Habits, rows: Rows) -> NDArray[np.float32]:
    """(R,) float32 seconds to the next call as past ones predict it; +inf before the first."""
    spread = habits.spread(rows)
    elapsed_s = habits.now_s - habits.begun_s[rows]
    gap_s = habits.gap_s[rows]
    steady_per_s, _ = habits.rates_per_s(rows)
    with np.errstate(invalid="ignore"):
        counted_s = np.hypot(gap_s - elapsed_s, spread * gap_s)
    left_s = np.where(spread < REGULAR_SPREAD, counted_s, 1.0 / steady_per_s)
    left_s[habits.calls[rows] == 0.0] = np.inf
    return left_s.astype(np.float32)
