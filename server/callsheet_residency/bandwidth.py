"""Measured bandwidth of the links, and the bytes that may move now."""

from __future__ import annotations

__all__ = ["BURST_S", "Bandwidth", "CreditBucket"]

BURST_S = 0.25
"""Seconds of unused bandwidth that may be saved up: a burst that nobody's reply notices."""

MEMORY_S = 2.0
"""Seconds of moving time after which an old observation weighs half."""


class Bandwidth:
    """A link's bytes per second while it is busy, from moves that were carried out.

    Bytes and seconds decay together, so a large move weighs more than a small one, and the estimate
    follows a link that becomes faster or slower.
    """

    def __init__(self, assumed_bytes_per_s: float) -> None:
        # The assumption counts as a tenth of a second's observation.
        self._seconds = 0.1
        self._bytes = assumed_bytes_per_s * self._seconds

    @property
    def bytes_per_s(self) -> float:
        """> 0."""
        return self._bytes / self._seconds

    def observe(self, moved_bytes: int, seconds: float) -> None:
        """Take in one finished move; moves of nothing or in no time say nothing and are ignored."""
        if moved_bytes <= 0 or seconds <= 0.0:
            return
        kept: float = 0.5 ** (seconds / MEMORY_S)
        self._bytes = self._bytes * kept + moved_bytes
        self._seconds = self._seconds * kept + seconds


class CreditBucket:
    """A bucket of credit that grows with time up to ``burst``; spending may be late, never refused.

    It may go below zero (a demand is carried out whatever it costs) and is then paid back first.
    """

    def __init__(self) -> None:
        self.credit = 0.0
        self._filled_s: float | None = None

    def refill(self, now_s: float, rate_per_s: float, burst: float) -> None:
        """Add what ``rate_per_s`` earned since the last call; the first call fills the bucket."""
        earned = burst - self.credit
        if self._filled_s is not None:
            earned = max(now_s - self._filled_s, 0.0) * rate_per_s
        self._filled_s = now_s
        self.credit = min(self.credit + earned, burst)

    def spend(self, amount: float) -> None:
        self.credit -= amount
