"""Predictions made some seconds before a call, to compare with when the call came.

The distances of a world are a new array at every tick, so to remember them is to keep a reference:
recording costs the same for ten NPCs as for ten thousand, and a call looks up its own row only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance import Distances, Estimator

__all__ = ["LOOKBACKS_S", "Prediction", "Predictions"]

LOOKBACKS_S = (1.0, 5.0, 15.0)
"""Times before a call at which its prediction is looked up, in seconds of game time."""
SPACING_S = 0.25
"""Distances are kept this far apart: the greatest lookback then takes 60 arrays a world."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Prediction for an NPC that has now called."""

    lookback_s: float
    """As in ``LOOKBACKS_S``; the prediction is at most ``SPACING_S`` and a tick older."""
    estimator: Estimator
    distance_s: float
    """The gap predicted; +inf = no call was expected."""
    gap_s: float
    """The gap there was, at least ``lookback_s``."""

    @property
    def error_s(self) -> float:
        """Predicted less actual gap: below 0 = expected too early."""
        return self.distance_s - self.gap_s


@dataclass(frozen=True, slots=True)
class _Kept:
    distances: Distances
    handle: NDArray[np.uint32]
    """(N,), a copy: rows are given to others, handles tell by whom they were held."""


class Predictions:
    """The distances of one world over the last seconds."""

    def __init__(self) -> None:
        self._kept: deque[_Kept] = deque()

    def record(self, distances: Distances, handle: NDArray[np.uint32]) -> None:
        """Take in a tick's distances.

        Args:
            distances: of this tick. If the game's clock went back, those before are forgotten.
            handle: (N,) uint32 of the same rows; copied.
        """
        kept, now_s = self._kept, distances.now_s
        if kept and now_s < kept[-1].distances.now_s:
            kept.clear()
        if kept and now_s - kept[-1].distances.now_s < SPACING_S:
            return
        kept.append(_Kept(distances, handle.copy()))
        # One entry older than the greatest lookback stays: it is the one that lookback reads.
        while len(kept) > 1 and kept[1].distances.now_s <= now_s - LOOKBACKS_S[-1]:
            kept.popleft()

    def before(self, row: int, handle: int, now_s: float) -> Iterator[Prediction]:
        """Judge what was predicted for an NPC that calls now.

        Lookbacks at which the NPC was not there yet, or at which it was talking (what was predicted
        then was that talk), are left out.
        """
        for lookback_s in LOOKBACKS_S:
            at = bisect_right(self._kept, now_s - lookback_s, key=lambda k: k.distances.now_s) - 1
            if at < 0:
                continue
            then, handles = self._kept[at].distances, self._kept[at].handle
            if row >= len(handles) or handles[row] != handle:
                continue
            estimator = Estimator(then.winner[row])
            if estimator is not Estimator.CONVERSATION:
                distance_s = float(then.distance_s[row])
                yield Prediction(lookback_s, estimator, distance_s, now_s - then.now_s)
