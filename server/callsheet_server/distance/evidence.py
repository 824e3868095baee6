"""Evidence about the next call of each NPC, as a few active weights a row.

Every reading falls into one bin of its group, or brings a number; the model has a weight for each.
Bins let it learn any shape: how long people dwell before they talk, how sharp a habit is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.worth import TAU_S
from callsheet_server.distance.distances import soonest
from callsheet_server.distance.sources import Estimator

__all__ = [
    "PRIOR",
    "SOURCES",
    "WEIGHTS",
    "Evidence",
    "Readings",
    "encode",
    "soonest_source",
    "unknown",
]

F32 = NDArray[np.float32]


def _edges(*values: float) -> F32:
    return np.array(values, np.float32)


_SOON_S = _edges(1e-6, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 40.0)
_DWELL_S = _edges(0.3, 0.7, 1.5, 3.0, 6.0, 12.0, 30.0)
_ELAPSED_S = _edges(1.0, 2.5, 4.0, 6.0, 9.0, 13.0, 20.0, 30.0, 45.0, 70.0, 120.0, 240.0)
_OF_GAP = _edges(0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.8, 2.5)
_HINT_AGE_S = _edges(1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
_LEAST_HINT = 0.03


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of R rows at one instant, (R,) each; times in seconds, +inf = not so."""

    proximity_s: F32
    reach_s: F32
    """Until a player could be in reach at full speed, whatever the heading."""
    dwelt_s: F32
    """Since when a player has been in reach."""
    encounter_s: F32
    together_s: F32
    """Since when a sociable neighbour has been in reach."""
    history_s: F32
    elapsed_s: F32
    """Since the last call began."""
    of_gap: F32
    """The same as a share of the NPC's mean gap."""
    gap_s: F32
    renewal: F32
    """Log odds of the discounted call of a regular NPC, by its gaps."""
    gaps: NDArray[np.int8]
    """0 = no gap seen yet, 1 = regular, 2 = irregular."""
    steady_rate: F32
    """Calls per second, of a usual NPC = 1, likewise ``recent_rate``."""
    recent_rate: F32
    unprompted_rate: F32
    """The same of calls that followed nobody's."""
    usual_rate_per_s: float
    hint: F32
    """Chance to follow whoever just called; 0 = no hint."""
    hint_age_s: F32
    announced: NDArray[np.bool_]
    """The game has announced a call, however far."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Active weights of R rows: (R, G) each, one column per group."""

    index: NDArray[np.intp]
    value: F32

    def take(self, rows: NDArray[np.intp]) -> Evidence:
        return Evidence(self.index[rows], self.value[rows])

    def dense(self) -> NDArray[np.float64]:
        """(R, ``WEIGHTS``) the same with the zeros written out."""
        full = np.zeros((len(self.index), WEIGHTS))
        full[np.arange(len(self.index))[:, None], self.index] = self.value
        return full


_GROUPS: tuple[tuple[str, Estimator, int], ...] = (
    ("bias", Estimator.NONE, 1),
    ("soonest", Estimator.NONE, 1),
    ("arrival", Estimator.PROXIMITY, len(_SOON_S) + 1),
    ("reach", Estimator.PROXIMITY, len(_SOON_S) + 1),
    ("dwell", Estimator.PROXIMITY, len(_DWELL_S) + 2),
    ("popular and near", Estimator.PROXIMITY, 1),
    ("meeting", Estimator.ENCOUNTER, len(_SOON_S) + 1),
    ("together", Estimator.ENCOUNTER, len(_DWELL_S) + 2),
    ("elapsed", Estimator.HISTORY, len(_ELAPSED_S) + 1),
    ("of gap", Estimator.HISTORY, 2 * (len(_OF_GAP) + 1) + 1),
    ("renewal", Estimator.HISTORY, 1),
    ("steady rate", Estimator.HISTORY, 1),
    ("unprompted rate", Estimator.HISTORY, 1),
    ("recent rate", Estimator.HISTORY, 1),
    ("hint", Estimator.CHAIN, len(_HINT_AGE_S) + 1),
    ("announced", Estimator.SCHEDULE, 2),
)
"""Name, source and weights of each group, in the order of the columns."""

_COLUMN = {name: column for column, (name, _, _) in enumerate(_GROUPS)}
_FIRSTS = np.cumsum([0] + [size for _, _, size in _GROUPS[:-1]])
"""The first weight of each column."""
SOURCES: tuple[Estimator, ...] = tuple(source for _, source, _ in _GROUPS)
"""The source of each column."""
WEIGHTS = sum(size for _, _, size in _GROUPS)
PRIOR = np.zeros(WEIGHTS)
"""Weights before anything was learned: the smallest estimate decides, and chains as they say."""
PRIOR[_FIRSTS[_COLUMN["soonest"]]] = 1.0
PRIOR[_FIRSTS[_COLUMN["hint"]] :][: len(_HINT_AGE_S)] = 1.0


def soonest_source(readings: Readings) -> tuple[F32, NDArray[np.uint8]]:
    """Take the smallest estimate of each row, and who made it."""
    return soonest(
        (
            (Estimator.PROXIMITY, readings.proximity_s),
            (Estimator.ENCOUNTER, readings.encounter_s),
            (Estimator.HISTORY, readings.history_s),
        )
    )


def unknown(usual_rate_per_s: float) -> Readings:
    """Readings of one NPC of which nothing is known, in a world with this usual rate."""
    never = np.full(1, np.inf, np.float32)
    zero, one = np.zeros_like(never), np.ones_like(never)
    return Readings(
        proximity_s=never,
        reach_s=never,
        dwelt_s=never,
        encounter_s=never,
        together_s=never,
        history_s=never,
        elapsed_s=never,
        of_gap=zero,
        gap_s=zero,
        renewal=zero,
        gaps=np.zeros(len(never), np.int8),
        steady_rate=one,
        recent_rate=one,
        unprompted_rate=one,
        usual_rate_per_s=usual_rate_per_s,
        hint=zero,
        hint_age_s=never,
        announced=np.zeros(len(never), np.bool_),
    )


def encode(readings: Readings) -> Evidence:
    """Turn readings into active weights."""
    r, rows = readings, len(readings.proximity_s)
    soonest_s, _ = soonest_source(r)
    regular = r.gaps == 1
    per_gap = len(_OF_GAP) + 1
    steady, recent = np.log(r.steady_rate), np.log(r.recent_rate)
    usual = np.float32(np.log(60.0 * r.usual_rate_per_s))
    hinted = (r.hint > _LEAST_HINT) & (r.hint_age_s < _HINT_AGE_S[-1])
    of_gap = _bin(r.of_gap, _OF_GAP)
    of_gap[~regular] += per_gap
    of_gap[r.gaps == 0] = 2 * per_gap
    bins = {
        "arrival": _bin(r.proximity_s, _SOON_S),
        "reach": _bin(r.reach_s, _SOON_S),
        "dwell": _dwell(r.dwelt_s),
        "meeting": _bin(r.encounter_s, _SOON_S),
        "together": _dwell(r.together_s),
        "elapsed": _bin(r.elapsed_s, _ELAPSED_S),
        "of gap": of_gap,
        "hint": _bin(r.hint_age_s, _HINT_AGE_S),
        "announced": r.announced,
    }
    amounts = {
        "soonest": -np.log(np.clip(soonest_s, 0.1, 300.0) / TAU_S),
        "popular and near": np.where(r.proximity_s < 2.0, steady, 0.0),
        "renewal": np.where(regular, r.renewal, 0.0),
        "steady rate": np.where(regular, 0.0, steady + usual),
        "unprompted rate": np.where(regular, 0.0, np.log(r.unprompted_rate) + usual),
        "recent rate": np.where(regular, 0.0, recent + usual),
        "hint": np.where(hinted, np.log(np.maximum(r.hint, _LEAST_HINT) / _LEAST_HINT), 0.0),
    }
    # A group's column lies in one piece: it is written at once.
    index = np.repeat(_FIRSTS, rows).reshape(len(_FIRSTS), rows)
    value = np.ones(index.shape, np.float32)
    for name, within in bins.items():
        index[_COLUMN[name]] += within
    for name, amount in amounts.items():
        value[_COLUMN[name]] = amount
    return Evidence(index.T, value.T)


def _bin(values: F32, edges: F32) -> NDArray[np.intp]:
    return edges.searchsorted(values, side="right")


def _dwell(values_s: F32) -> NDArray[np.intp]:
    """Bins of a dwelling, with one more for who does not dwell."""
    return np.where(np.isfinite(values_s), _bin(values_s, _DWELL_S), len(_DWELL_S) + 1)
