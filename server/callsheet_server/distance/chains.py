"""Chains: who calls soon after whom, counted from the calls themselves, a few successors each."""

from __future__ import annotations

from collections import deque
from math import exp, lgamma, log, log1p

__all__ = ["WINDOW_S", "Chains"]

WINDOW_S = 8.0
"""A call up to this long after another may be its consequence."""
MAX_SUCCESSORS = 24
"""Remembered per NPC; a new one takes the place of the weakest by wearing it down."""
MAX_RECENT = 32
"""Latest callers that a call is put down to: its cost is bounded in a busy world."""
LEAST_CHANCE = 0.03
"""Below it a hint is noise."""
FORGET = 0.02
"""Weight of the newest call in what is usual."""


class Chains:
    """Sparse transition counts between NPCs, by handle (Misra and Gries' frequent items)."""

    def __init__(self) -> None:
        self._followers: dict[int, dict[int, float]] = {}
        self._calls: dict[int, int] = {}
        self._all_calls = 0
        self._recent: deque[tuple[float, int]] = deque(maxlen=MAX_RECENT)
        self._usually_recent = 0.0
        """Calls in the window before a call, on average of late."""

    def began(self, caller: int, now_s: float) -> list[tuple[int, float]]:
        """Take in a call; return who may follow, with the chance that they do.

        Args:
            caller: its handle.
            now_s: game time.
        """
        while self._recent and not 0.0 <= now_s - self._recent[0][0] <= WINDOW_S:
            self._recent.popleft()
        for before in {before for _, before in self._recent if before != caller}:
            self._count(self._followers.setdefault(before, {}), caller)
        self._usually_recent += FORGET * (len(self._recent) - self._usually_recent)
        self._recent.append((now_s, caller))
        calls = self._calls.get(caller, 0)
        self._calls[caller] = calls + 1
        self._all_calls += 1
        chances = [
            (follower, self._chance(follower, count, calls))
            for follower, count in self._followers.get(caller, {}).items()
        ]
        return [(follower, chance) for follower, chance in chances if chance > LEAST_CHANCE]

    def _chance(self, follower: int, count: float, calls: int) -> float:
        """Chance that a call is followed, as it was ``count`` times of ``calls``.

        Bayes' rule between two explanations: a link of any strength, of which everybody has one or
        so, and chance, by which the follower calls after this as often as after any other call.
        """
        followed = min(count, calls)
        missed = calls - followed
        usual = self._calls.get(follower, 1) / self._all_calls * self._usually_recent
        by_chance = min(max(1.0 - exp(-usual), 1e-6), 0.999)
        link = lgamma(followed + 1.0) + lgamma(missed + 1.0) - lgamma(calls + 2.0)
        chance = followed * log(by_chance) + missed * log1p(-by_chance)
        against = chance - link + log(len(self._calls))
        return (followed + 1.0) / (calls + 2.0) / (1.0 + exp(min(against, 50.0)))

    def forget(self, handle: int) -> None:
        """Forget what followed an NPC that is gone; as a follower it wears off."""
        self._followers.pop(handle, None)
        self._all_calls -= self._calls.pop(handle, 0)

    def followers(self) -> dict[int, dict[int, float]]:
        """The counts, by who came first and who followed."""
        return self._followers

    def restore(self, followers: dict[int, dict[int, float]], calls: dict[int, int]) -> None:
        """Put back counts that were kept."""
        self._followers, self._calls = followers, calls
        self._all_calls = sum(calls.values())

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
