"""Sources of a distance."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Estimator"]


class Estimator(IntEnum):
    """Source of an NPC's distance. In a tie the first of this order is named: the surest one."""

    CONVERSATION = 0
    SCHEDULE = 1
    PROXIMITY = 2
    ENCOUNTER = 3
    HISTORY = 4
    CHAIN = 5
    """Somebody whom the NPC often follows has just called."""
    NONE = 6
    """No estimator expects a call: the distance is +inf."""
