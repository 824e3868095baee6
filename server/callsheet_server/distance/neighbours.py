"""Nearest neighbours of points, by a k-d tree."""

from __future__ import annotations

import numpy as np
import small_gicp
from numpy.typing import NDArray

__all__ = ["nearest_other"]


def nearest_other(
    position_m: NDArray[np.float64], rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the point nearest to each of some; O(N log N), unless many share one spot.

    Args:
        position_m: (N, 3) float64, N > 1.
        rows: (K,) intp, of those who ask.

    Returns:
        (K,) intp rows of the nearest other points, and (K,) float64 metres to them.
    """
    tree = small_gicp.KdTree(position_m)
    found, squared = map(np.asarray, tree.batch_knn_search(position_m[rows], k=2))
    # Of points on one spot, either may come first.
    other = (found[:, 0] == rows).astype(np.intp)
    at = np.arange(len(rows)), other
    nearest: NDArray[np.intp] = found[at].astype(np.intp)
    return nearest, np.sqrt(squared[at])
