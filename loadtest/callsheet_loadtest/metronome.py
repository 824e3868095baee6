"""Metronome: ticks on an absolute schedule, so that lateness never adds up."""

from __future__ import annotations

import math

__all__ = ["Metronome"]


class Metronome:
    """Beats at ``start_s + k * period_s``. Time is any clock that does not go back."""

    def __init__(self, period_s: float, start_s: float) -> None:
        self._period_s = period_s
        self._start_s = start_s
        self._beat = 0
        self._skipped = 0

    @property
    def due_s(self) -> float:
        """Time at which the current beat is due."""
        return self._start_s + self._beat * self._period_s

    def advance(self, now_s: float) -> float:
        """Go on to the next beat; return how long to wait for it, >= 0."""
        self._beat += 1
        late_s = now_s - self.due_s
        if late_s >= self._period_s:
            missed = math.floor(late_s / self._period_s)
            self._beat += missed
            self._skipped += missed
        return max(self.due_s - now_s, 0.0)

    def take_skipped(self) -> int:
        """Beats left out since the last call: a whole period had passed, as a game drops frames."""
        skipped, self._skipped = self._skipped, 0
        return skipped
