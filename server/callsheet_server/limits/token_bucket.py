"""Rates: how much of something may pass per second."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final

__all__ = ["TokenBucket", "TokenBuckets"]

PRUNED_FROM: Final = 1_024
"""Buckets by key from which on those that are full are dropped."""


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


class TokenBuckets:
    """Buckets by key, all of one rate. A bucket that is full again is as good as none."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[Hashable, TokenBucket] = {}
        self._prune_at = PRUNED_FROM

    def __len__(self) -> int:
        """Count the buckets that are kept."""
        return len(self._buckets)

    def take(self, keys: Iterable[Hashable], now_s: float, amount: float = 1.0) -> float:
        """Take ``amount`` of each key's; return 0, or the seconds until all is there."""
        buckets = [self._bucket(key, now_s) for key in keys]
        wait_s = max((bucket.wait_s(now_s, amount) for bucket in buckets), default=0.0)
        if wait_s == 0:
            for bucket in buckets:
                bucket.spend(amount)
        return wait_s

    def spend(self, keys: Iterable[Hashable], now_s: float, amount: float) -> float:
        """Take ``amount`` whatever is there; return the seconds until nothing is owed."""
        buckets = [self._bucket(key, now_s) for key in keys]
        for bucket in buckets:
            bucket.spend(amount)
        return max((bucket.wait_s(now_s, 0.0) for bucket in buckets), default=0.0)

    def owed_s(self, key: Hashable, now_s: float) -> float:
        """Seconds until nothing is owed by a key."""
        return self.wait_s([key], now_s, 0.0)

    def wait_s(self, keys: Iterable[Hashable], now_s: float, amount: float = 1.0) -> float:
        """Seconds until ``amount`` of each key's is there; 0 = now."""
        waits_s = (self._bucket(key, now_s).wait_s(now_s, amount) for key in keys)
        return max(waits_s, default=0.0)

    def _bucket(self, key: Hashable, now_s: float) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._prune_at:
                self._prune(now_s)
            bucket = self._buckets[key] = TokenBucket(self._rate, self._burst, now_s)
        return bucket

    def _prune(self, now_s: float) -> None:
        self._buckets = {k: b for k, b in self._buckets.items() if not b.is_full(now_s)}
        self._prune_at = max(PRUNED_FROM, 2 * len(self._buckets))
