"""The invocation distances of one world, and the smallest of the estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance.sources import Estimator

__all__ = ["Distances", "soonest"]

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Distances:
    """The invocation distances of one world's N rows at one instant."""

    now_s: float
    """Game time they hold for."""
    distance_s: F32
    """(N,) float32, >= 0, seconds of game time to the next expected call; dead rows +inf.

    Read-only, as ``winner`` is: other threads may keep it.
    """
    winner: NDArray[np.uint8]
    """(N,) uint8, an ``Estimator``."""


def soonest(estimates: tuple[tuple[Estimator, F32], ...]) -> tuple[F32, NDArray[np.uint8]]:
    """Take the smallest estimate of each row, and who made it; in a tie the first."""
    smallest_s = np.full(len(estimates[0][1]), np.inf, np.float32)
    winner = np.full(len(smallest_s), Estimator.NONE, np.uint8)
    for estimator, value_s in estimates:
        winner[value_s < smallest_s] = estimator
        np.minimum(smallest_s, value_s, out=smallest_s)
    return smallest_s, winner
