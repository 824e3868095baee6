"""Calls of a large cast, and what a server would have published of them. Seeded; times in s."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Calls", "Crowd", "draw_calls"]

LINES_MEAN = 5.0
"""Calls of one conversation; the number is geometric."""
GAP_S = 8.0
"""Mean time between two lines of a conversation."""
NOTICE_S = 30.0
"""An announced conversation is seen coming for so long: somebody walks up."""
TALKING_S = 5.0
"""Distance published of an NPC in a conversation."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Number of NPCs, and how often they are called."""

    npcs: int
    calls_per_s: float
    seconds: float
    predictability: float
    """Part of the conversations that are seen coming."""
    popularity: NDArray[np.float64]
    """(npcs,) float64, sums to 1: whom the next conversation is with."""


@dataclass(frozen=True, slots=True)
class Calls:
    """C calls in order of time, and the times between which each NPC is known to be near."""

    at_s: NDArray[np.float64]
    """(C,) float64."""
    npc: NDArray[np.intp]
    """(C,) intp."""
    begin_s: NDArray[np.float64]
    """(K,) float64: first line of each conversation."""
    end_s: NDArray[np.float64]
    """(K,) float64: its last line."""
    who: NDArray[np.intp]
    """(K,) intp."""
    announced: NDArray[np.bool_]
    """(K,) bool: it is seen coming."""

    def distances(self, now_s: float, npcs: int) -> NDArray[np.float32]:
        """(npcs,) float32: what would be published now; +inf = nothing is expected."""
        distance_s = np.full(npcs, np.inf, np.float32)
        coming = self.announced & (self.begin_s > now_s) & (self.begin_s <= now_s + NOTICE_S)
        np.minimum.at(distance_s, self.who[coming], (self.begin_s[coming] - now_s).astype("f4"))
        talking = (self.begin_s <= now_s) & (self.end_s > now_s)
        np.minimum.at(distance_s, self.who[talking], np.float32(TALKING_S))
        return distance_s


def draw_calls(crowd: Crowd, seed: int) -> Calls:
    """Draw conversations, and their lines."""
    draw = np.random.default_rng(seed)
    count = draw.poisson(crowd.calls_per_s * (crowd.seconds + NOTICE_S) / LINES_MEAN)
    begin_s = draw.uniform(-NOTICE_S, crowd.seconds, count)
    who = np.searchsorted(np.cumsum(crowd.popularity), draw.random(count)).clip(0, crowd.npcs - 1)
    lines = draw.geometric(1.0 / LINES_MEAN, count)
    of = np.repeat(np.arange(count), lines)
    gaps_s = draw.exponential(GAP_S, len(of))
    first = np.cumsum(lines) - lines
    gaps_s[first] = 0.0
    total_s = np.cumsum(gaps_s)
    at_s = begin_s[of] + total_s - total_s[first][of]
    end_s = at_s[first + lines - 1]
    order = np.argsort(at_s, kind="stable")
    order = order[(at_s[order] >= 0.0) & (at_s[order] < crowd.seconds)]
    return Calls(
        at_s=at_s[order],
        npc=who[of][order],
        begin_s=begin_s,
        end_s=end_s,
        who=who,
        announced=draw.random(count) < crowd.predictability,
    )
