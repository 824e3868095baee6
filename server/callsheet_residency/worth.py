"""Worth of state at hand: e^(-distance / tau), the discounted call it is ready for.

A distance is a certainty equivalent on this scale: what may be called at any time has the distance
of a sure call that is worth as much. So a margin in seconds is a ratio of worth: 1 s = 1.5 times.
"""

from __future__ import annotations

import math

__all__ = ["TAU_S", "displaced_beyond_s"]

TAU_S = 2.5
"""Time in which the worth of having state ready for a call to come falls to 1/e."""


def displaced_beyond_s(distance_s: float, hysteresis_s: float, least_gain: float) -> float:
    """Distance beyond which state may go to make room for what has ``distance_s``.

    What comes must be worth e^(hysteresis / tau) times what goes, and ``least_gain`` more: a move
    that gains less is not worth its bytes. +inf = it may displace nothing.
    """
    spent = least_gain * math.exp(min(distance_s / TAU_S, 700.0))
    if spent >= 1.0:
        return math.inf
    return distance_s + hysteresis_s - TAU_S * math.log1p(-spent)
