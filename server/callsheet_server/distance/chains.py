"""Chains: who calls soon after whom, counted from the calls themselves, a few successors each."""

from __future__ import annotations

from collections import deque

__all__ = ["WINDOW_S", "Chains"]

WINDOW_S = 8.0
"""A call up to this long after another may be its consequence."""
MAX_SUCCESSORS = 16
"""Remembered per NPC; a new one takes the place of the weakest by wearing it down."""
MAX_RECENT = 32
"""Latest callers that a call is put down to: its cost is bounded in a busy world."""
LEAST_CHANCE = 0.03
"""Below it a hint is noise."""


class Chains:
    """Sparse transition counts between NPCs, by handle (Misra and Gries' frequent items)."""

    def __init__(self) -> None:
        self._followers: dict[int, dict[int, float]] = {}
        self._calls: dict[int, int] = {}
        self._recent: deque[tuple[float, int]] = deque(maxlen=MAX_RECENT)

    def began(self, caller: int, now_s: float, rate_per_s: float) -> list[tuple[int, float]]:
        """Take in a call; return who may follow, with the chance that they do.

        Args:
            caller: its handle.
            now_s: game time.
            rate_per_s: calls of a usual NPC: what would follow by mere chance.
        """
        while self._recent and not 0.0 <= now_s - self._recent[0][0] <= WINDOW_S:
            self._recent.popleft()
        for _, before in self._recent:
            if before != caller:
                self._count(self._followers.setdefault(before, {}), caller)
        self._recent.append((now_s, caller))
        calls = self._calls.get(caller, 0)
        self._calls[caller] = calls + 1
        by_chance = calls * rate_per_s * WINDOW_S
        chances = [
            (follower, (count - by_chance) / (calls + 1))
            for follower, count in self._followers.get(caller, {}).items()
        ]
        return [(follower, chance) for follower, chance in chances if chance > LEAST_CHANCE]

    def forget(self, handle: int) -> None:
        """Forget what followed an NPC that is gone; as a follower it wears off."""
        self._followers.pop(handle, None)
        self._calls.pop(handle, None)

    def followers(self) -> dict[int, dict[int, float]]:
        """The counts, by who came first and who followed."""
        return self._followers

    def restore(self, followers: dict[int, dict[int, float]], calls: dict[int, int]) -> None:
        """Put back counts that were kept."""
        self._followers, self._calls = followers, calls

    @staticmethod
    def _count(followers: dict[int, float], caller: int) -> None:
        if caller in followers:
            followers[caller] += 1.0
        elif len(followers) < MAX_SUCCESSORS:
            followers[caller] = 1.0
        else:
            weakest = min(followers, key=followers.__getitem__)
            followers[weakest] -= 1.0
            if followers[weakest] <= 0.0:
                del followers[weakest]
                followers[caller] = 1.0
