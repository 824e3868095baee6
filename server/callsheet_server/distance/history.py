"""History: what the gaps between past calls say about the next one.

The predictor is the root mean square of (time of the next call - now). With ``elapsed`` seconds
since the last call and gaps of mean m and standard deviation s that is

    sqrt(E[(gap - elapsed)^2]) = hypot(m - elapsed, s)

which needs no assumption on the distribution and behaves well at both ends. A regular caller
(s << m) counts down to about s, an exponential one (s = m) stays near m whatever has elapsed, and a
caller who is long overdue moves away again instead of staying "any moment now" for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_server.world.snapshot import Snapshot

__all__ = ["GapStats", "history"]


def history(snapshot: Snapshot) -> NDArray[np.float32]:
    """(N,) float32 seconds to the next call as past gaps predict it; +inf below two calls."""
    elapsed_s = (snapshot.game_time_s - snapshot.last_call_s).astype(np.float32)
    left_s: NDArray[np.float32] = np.hypot(
        snapshot.call_gap_mean_s - elapsed_s, snapshot.call_gap_std_s
    )
    left_s[np.isnan(left_s)] = np.inf
    return left_s


@dataclass(frozen=True, slots=True)
class GapStats:
    """Running statistics of N NPCs' gaps between calls.

    Welford's update, in which a gap's weight never falls below 1 / ``MEMORY``: exact for the first
    ``MEMORY`` gaps, exponentially forgetting after, so that an NPC may change its habits.
    """

    MEMORY = 16

    count: NDArray[np.int32]
    """(N,) int32, gaps seen, held at ``MEMORY``."""
    mean_s: NDArray[np.float32]
    """(N,) float32; NaN before the first gap."""
    variance_s2: NDArray[np.float32]
    """(N,) float32, population variance; NaN before the first gap."""

    @classmethod
    def empty(cls, rows: int) -> GapStats:
        """Statistics of ``rows`` NPCs that never called."""
        nan = np.full(rows, np.nan, np.float32)
        return cls(np.zeros(rows, np.int32), nan, nan.copy())

    def update(self, rows: NDArray[np.intp], gap_s: NDArray[np.float32]) -> GapStats:
        """Add one gap to each of ``rows``; the receiver is left as it was.

        Args:
            rows: (K,) distinct rows.
            gap_s: (K,) float32, seconds from the end of the call before to the start of this one.
        """
        count = self.count.copy()
        mean_s = self.mean_s.copy()
        variance_s2 = self.variance_s2.copy()
        first = count[rows] == 0
        seen = np.minimum(count[rows] + 1, self.MEMORY)
        weight = np.float32(1.0) / seen.astype(np.float32)
        off_s = np.where(first, np.float32(0.0), gap_s - mean_s[rows])
        count[rows] = seen
        mean_s[rows] = np.where(first, gap_s, mean_s[rows] + weight * off_s)
        variance_s2[rows] = np.where(
            first, np.float32(0.0), (1 - weight) * (variance_s2[rows] + weight * off_s * off_s)
        )
        return GapStats(count, mean_s, variance_s2)

    @property
    def std_s(self) -> NDArray[np.float32]:
        """(N,) float32 for ``Snapshot.call_gap_std_s``; NaN before the first gap.

        One gap says nothing about regularity: its NPC is taken to be memoryless (std = mean).
        """
        n = self.count.astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            sample_s = np.sqrt(self.variance_s2 * n / (n - 1))
        return np.where(self.count == 1, self.mean_s, sample_s)
