"""Record of a forecast: chances said against calls that came, and what each source was worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.worth import TAU_S
from callsheet_server.distance.lessons import Lesson
from callsheet_server.distance.model import certain_s
from callsheet_server.distance.sources import Estimator

__all__ = ["BANDS", "HORIZONS_S", "LEARNED", "Record", "chance_within"]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

HORIZONS_S = (2.0, 5.0, 10.0)
BANDS = ("unlikely", "possible", "likely")
BAND_EDGES = (0.1, 0.5)
"""Chances that part the bands."""
LEARNED = (Estimator.PROXIMITY, Estimator.ENCOUNTER, Estimator.HISTORY, Estimator.CHAIN)
"""Sources whose worth is learned."""
SOON_S = 5.0
"""Callers within this time should have been in front."""
FRONT_SHARE = 0.25
"""Front of an order: as many as a device for a quarter of all NPCs holds."""


def chance_within(distance_s: F32, within_s: float) -> F64:
    """(R,) chances of a call by then, of callers at random that are worth as much."""
    with np.errstate(over="ignore", divide="ignore"):
        rate_per_s = 1.0 / (TAU_S * np.expm1(distance_s.astype(np.float64) / TAU_S))
    chance: F64 = -np.expm1(-rate_per_s * within_s)
    return chance


class Record:
    """Counts of one world; each row of a lesson is one look at an NPC."""

    def __init__(self) -> None:
        shape = (len(HORIZONS_S), len(BANDS))
        self.looks: NDArray[np.int64] = np.zeros(shape, np.int64)
        self.said: F64 = np.zeros(shape)
        """Sums of the chances."""
        self.came: NDArray[np.int64] = np.zeros(shape, np.int64)
        """Looks after which a call came in time."""
        self.callers = 0
        """Looks after which a call came within ``SOON_S``."""
        self.foremost = 0
        """Those of them that were in the front of the order."""
        self.foremost_without = dict.fromkeys(LEARNED, 0)
        """The same of the order that a source has no part in."""

    def take(self, lesson: Lesson, came_s: F64) -> None:
        """Take in what became of a lesson; ``came_s``: (R,) times to the next call, +inf = none."""
        said_s = certain_s(lesson.logit)
        for at, within_s in enumerate(HORIZONS_S):
            chance, came = chance_within(said_s, within_s), came_s <= within_s
            band = np.searchsorted(BAND_EDGES, chance, side="right")
            self.looks[at] += np.bincount(band, minlength=len(BANDS))
            self.said[at] += np.bincount(band, chance, len(BANDS))
            self.came[at] += np.bincount(band[came], minlength=len(BANDS))
        callers = np.flatnonzero(came_s <= SOON_S)
        if not len(callers):
            return
        self.callers += len(callers)
        self.foremost += _foremost(lesson.logit, callers)
        for source in LEARNED:
            without = lesson.logit - lesson.raised[:, source]
            self.foremost_without[source] += _foremost(without, callers)


def _foremost(logit: F32, callers: NDArray[np.intp]) -> int:
    """Callers in the front of an order; half of those that tie with one are before it."""
    order = np.sort(-logit)
    before = order.searchsorted(-logit[callers])
    not_after = order.searchsorted(-logit[callers], side="right")
    return int((before + not_after - 1 < 2.0 * FRONT_SHARE * len(order)).sum())
