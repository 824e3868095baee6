"""Time until someone who may walk comes within reach: shared by proximity and encounter.

The earliest possible arrival, gap / maximum speed, is a poor ranking: in a crowded town everybody
is "near". The speed at which the gap really closes is a good ranking but a poor bound: whoever
walks past may turn. So the gap is taken to close at the measured closing speed, but never slower
than ``turn_fraction`` of the maximum speeds: someone walking straight here gets the true time of
arrival, someone walking away a finite, larger one. With ``turn_fraction`` 1 and truthful maximum
speeds it is the strict bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Vectors", "columns", "time_to_reach_s"]

F32 = NDArray[np.float32]

Vectors = tuple[F32, F32, F32]
"""x, y and z of N vectors, each (N,) float32 and contiguous."""


def columns(vectors: F32) -> Vectors:
    """Split (N, 3) into three contiguous (N,) arrays; strided arithmetic is far slower."""
    x, y, z = np.ascontiguousarray(vectors.T)
    return x, y, z


def time_to_reach_s(offset_m: Vectors, approach_mps: Vectors, reach_m: F32, slowest: float) -> F32:
    """Seconds until each gap is closed.

    Args:
        offset_m: (N,) each, from the one who comes to the one who is reached.
        approach_mps: (N,) each, velocity of the one who comes less that of the one reached.
        reach_m: (N,) float32, >= 0, the distance at which a talk can start.
        slowest: the least closing speed assumed, m/s, >= 0.

    Returns:
        (N,) float32: 0 within reach, +inf if out of reach and nobody can move.
    """
    dx, dy, dz = offset_m
    vx, vy, vz = approach_mps
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        range_m = np.sqrt(dx * dx + dy * dy + dz * dz)
        gap_m = np.maximum(range_m - reach_m, np.float32(0.0))
        closing_mps = (dx * vx + dy * vy + dz * vz) / range_m
        # fmax: where the range is 0 the closing speed is NaN, and the floor is taken.
        time_s: F32 = gap_m / np.fmax(closing_mps, np.float32(slowest))
    if slowest <= 0.0:
        time_s[gap_m == 0.0] = 0.0
    return time_s
