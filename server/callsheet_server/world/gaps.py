"""Running statistics of the gaps between an NPC's calls: what the history estimator reads."""

from __future__ import annotations

import math

__all__ = ["MEMORY", "add_gap"]

MEMORY = 16
"""Gaps after which old ones begin to fade, so that an NPC may change its habits."""


def add_gap(count: int, gap_s: float, mean_s: float, std_s: float) -> tuple[float, float]:
    """Take one more gap into a running mean and population standard deviation.

    Welford's update (Technometrics 4, 1962), in which the newest gap weighs 1 / ``MEMORY`` or more.

    Args:
        count: gaps seen, this one included.
        gap_s: seconds between the ends of two consecutive calls.
        mean_s: the mean before; not read for the first gap.
        std_s: the standard deviation before; not read for the first gap.
    """
    if count == 1:
        return gap_s, 0.0
    weight = 1.0 / min(count, MEMORY)
    off_s = gap_s - mean_s
    variance_s2 = (1.0 - weight) * (std_s**2 + weight * off_s**2)
    return mean_s + weight * off_s, math.sqrt(variance_s2)
