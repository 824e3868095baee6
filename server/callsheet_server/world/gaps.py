"""Running statistics of the gaps between an NPC's calls: what the history estimator reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["GapStats"]


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
            gap_s: (K,) float32, seconds between the ends of two consecutive calls.
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
