"""Trust in the model: does its order put callers further to the front than the smallest estimate?

Each call is looked up in both orders as they were. Of two small caches that hold the front of an
order, the one that had the caller scores. The model's order holds until it has fallen behind, and
again once it leads.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trust"]

F32 = NDArray[np.float32]

SHARES = (0.1, 0.25, 0.5)
"""Sizes of the caches, as shares of all NPCs."""
MEMORY = 1.0 - 1.0 / 300.0
"""Weight that a call keeps when the next one comes."""
BEHIND = -3.0
"""Hits less than the smallest estimate's at which the model is not trusted any more."""
MOST_CALLS = 8
"""Calls of one tick that are looked up: each costs a pass over all NPCs."""


class Trust:
    """Score of the model's order against the smallest estimate's in one world."""

    def __init__(self) -> None:
        self.holds = True
        """True = the model's order is the better one, as far as is known."""
        self._lead = 0.0

    def judge(self, callers: Iterable[int], learned_s: F32, smallest_s: F32) -> None:
        """Take in the rows that call now.

        Args:
            callers: rows of calls that nobody announced.
            learned_s: (N,) the model's distances before.
            smallest_s: (N,) the smallest estimates before.
        """
        room = np.array(SHARES) * len(learned_s)
        for row in list(callers)[:MOST_CALLS]:
            learned, smallest = (_before(row, order) < room for order in (learned_s, smallest_s))
            self._lead = self._lead * MEMORY + float(learned.sum()) - float(smallest.sum())
        self.holds = self._lead > (BEHIND if self.holds else 0.0)


def _before(row: int, order: F32) -> float:
    """Rows before this one in an order; half of those that tie with it."""
    return float((order < order[row]).sum() + 0.5 * ((order == order[row]).sum() - 1))
