"""History: what past calls say about the next one.

The gap of a regular caller is normal around its mean. Given that no call came in the time since the
last one, the discounted call is a ratio of two Mills ratios: the hazard rises around the time
expected. For anybody else it is that of a call at random at the rate of its past calls. Rates and
spreads are drawn towards the usual NPC until enough calls were seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.worth import TAU_S
from callsheet_server.distance.habits import REGULAR_SPREAD, Habits, Rows

__all__ = ["Past", "history", "renewal"]

F64 = NDArray[np.float64]
FARTHEST = 12.0
"""Standard deviations beyond which a habit says nothing new."""


def renewal(elapsed_s: F64, gap_s: F64, spread: F64) -> F64:
    """(R,) discounted call of a regular caller: E[exp(-(gap - elapsed) / tau) | gap > elapsed].

    Args:
        elapsed_s: since the last call.
        gap_s: mean gap.
        spread: standard deviation of the next gap over ``gap_s``.
    """
    deviation_s = np.maximum(spread * gap_s, 0.1)
    late = np.clip((elapsed_s - gap_s) / deviation_s, -FARTHEST, FARTHEST)
    return np.exp(_log_mills(late + deviation_s / TAU_S) - _log_mills(late))


def _log_mills(z: F64) -> F64:
    """(R,) log of the normal distribution's upper tail over its density.

    By Boyd's bound (1959), which is within one percent.
    """
    far = np.abs(z)
    tail = np.pi / (2.0 * far + np.sqrt((np.pi - 2.0) ** 2 * far**2 + 2.0 * np.pi))
    half = np.minimum(far, 37.0) ** 2 / 2.0
    below = half + np.log(np.sqrt(2.0 * np.pi) - tail * np.exp(-half))
    return np.where(z >= 0.0, np.log(tail), below)


@dataclass(frozen=True, slots=True)
class Past:
    """Past calls of R NPCs, and what they say; (R,) each."""

    steady_per_s: F64
    recent_per_s: F64
    unprompted_per_s: F64
    regular: NDArray[np.bool_]
    worth: F64
    """Discounted call of a regular NPC."""
    left_s: NDArray[np.float32]
    """Seconds to the next call as past ones predict it; +inf before the first."""


def history(habits: Habits, rows: Rows) -> Past:
    """Read the past calls of some rows."""
    calls, spread = habits.calls[rows], habits.spread(rows)
    elapsed_s = np.minimum(habits.now_s - habits.begun_s[rows], 1e9)
    regular = (spread < REGULAR_SPREAD) & (calls > 1.0)
    rates = habits.rates_per_s(rows)
    worth = renewal(elapsed_s, habits.gap_s[rows], spread)
    left_s = np.where(regular, -TAU_S * np.log(worth), 1.0 / rates[0])
    left_s[calls == 0.0] = np.inf
    return Past(*rates, regular, worth, left_s.astype(np.float32))
