"""Shapes of the load over a run: the number of games, and what they do together.

A shape is a function of progress, 0 at the start of the run and 1 at its end, and so the same in
every process.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

__all__ = ["SHAPES", "flash_at", "games_at", "stampedes_by"]

RAMP_SHARE = 0.8
"""The ramp reaches all games at this progress, and stays there."""
QUIET_SHARE = 0.2
"""Games outside the rush hour."""
FLASH_FROM, FLASH_TO = 1 / 3, 2 / 3
STAMPEDES = (0.4, 0.7)
"""Points of progress at which everybody reconnects."""


def _all(_: float) -> float:
    return 1.0


def _ramp(progress: float) -> float:
    return min(progress / RAMP_SHARE, 1.0)


def _rush_hour(progress: float) -> float:
    """Quiet, up within a quarter, full in the middle half of the run, down again."""
    climb = min(progress, 1.0 - progress) / 0.25
    return QUIET_SHARE + (1.0 - QUIET_SHARE) * min(max(climb, 0.0), 1.0)


SHAPES: Final[dict[str, Callable[[float], float]]] = {
    "steady": _all,
    "ramp": _ramp,
    "rush-hour": _rush_hour,
    "flash-crowd": _all,
    "stampede": _all,
}
"""Name -> share of the games that are there at a progress of 0 to 1."""


def games_at(shape: str, progress: float, games: int) -> int:
    """Return the number of games; at least 1."""
    return max(1, math.ceil(SHAPES[shape](min(max(progress, 0.0), 1.0)) * games - 1e-9))


def flash_at(shape: str, progress: float) -> bool:
    """Whether all players run to one NPC now."""
    return shape == "flash-crowd" and FLASH_FROM <= progress < FLASH_TO


def stampedes_by(shape: str, progress: float) -> int:
    """Return the number of times everybody was to reconnect up to now."""
    return sum(at <= progress for at in STAMPEDES) if shape == "stampede" else 0
