"""Rates: how much of something may pass per second."""

from __future__ import annotations

__all__ = ["TokenBucket"]


class TokenBucket:
    """Lets ``rate`` a second through on average, and ``burst`` at once.

    An amount greater than the burst waits for a full bucket and overdraws it, so that the average
    holds for amounts of any size.
    """

    def __init__(self, rate: float, burst: float, now_s: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._filled_at_s = now_s

    def wait_s(self, now_s: float, amount: float = 1.0) -> float:
        """Seconds until ``amount`` may be taken; 0 = now."""
        self._level = min(self._burst, self._level + (now_s - self._filled_at_s) * self._rate)
        self._filled_at_s = now_s
        return max(0.0, (min(amount, self._burst) - self._level) / self._rate)

    def take(self, now_s: float, amount: float = 1.0) -> float:
        """Take ``amount``; return 0, or the seconds until it is there (then none is taken)."""
        wait_s = self.wait_s(now_s, amount)
        if wait_s == 0:
            self.spend(amount)
        return wait_s

    def spend(self, amount: float) -> None:
        """Take ``amount`` whatever is there; a negative one gives back."""
        self._level -= amount

    def is_full(self, now_s: float) -> bool:
        """True if nothing is missing."""
        return self.wait_s(now_s, self._burst) == 0
