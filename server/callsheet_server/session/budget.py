"""Rates: how many of something a session may do per second."""

from __future__ import annotations

__all__ = ["BURST_S", "TokenBucket"]

BURST_S = 2.0
"""A session that was quiet may send this many seconds' worth of messages at once."""


class TokenBucket:
    """Lets ``rate`` events a second through on average, and ``burst`` at once."""

    def __init__(self, rate: float, burst: float, now_s: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled_at_s = now_s

    def take(self, now_s: float) -> float:
        """Take one token; return 0, or the seconds until there is one again (none is taken)."""
        self._tokens = min(self._burst, self._tokens + (now_s - self._filled_at_s) * self._rate)
        self._filled_at_s = now_s
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate
