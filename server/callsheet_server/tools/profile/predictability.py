"""Accuracy with which the estimators tell who calls next, and when."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.worth import TAU_S
from callsheet_server.distance import BANDS, HORIZONS_S, Assumptions, Estimator, Record
from callsheet_server.telemetry.predictions import LOOKBACKS_S, Predictions
from callsheet_server.tools.simulation.simulation import Playback
from callsheet_server.trace import Trace

__all__ = ["Errors", "Predictability", "predictability"]

SAMPLE_S = 2.0
"""Game time between two looks at the order."""
BANDS_S = (1.0, 3.0, 6.0, 10.0, 15.0)
"""Bounds of the bands of distances that are compared with what came."""
MIN_ORDERED = 3
"""NPCs that must have a call to come, or their order says nothing."""
NEXT_SHARE = 0.1
"""Those who call next, of whom it is asked how many were foreseen: this share of all NPCs."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Predicted less actual gap of one estimator, this long before the calls."""

    estimator: str
    lookback_s: float
    calls: int
    p10_s: float
    p50_s: float
    p90_s: float
    """Below 0 = expected too early."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Distances of one band against what then came, both as certainty equivalents."""

    up_to_s: float | None
    """Bound of the band; None = farther than all."""
    looks: int
    said_s: float | None
    """None = none was expected."""
    seen_s: float | None
    """None = none came."""


@dataclass(frozen=True, slots=True)
class Chances:
    """Chances said of calls within some seconds, and what came; each look is at one NPC."""

    within_s: float
    band: str
    looks: int
    said: float
    """Mean of the chances."""
    came: float
    """Share of the looks after which a call came in time."""


@dataclass(frozen=True, slots=True)
class Worth:
    """Callers that were in the front quarter of the learned order, 5 s before at most."""

    callers: int
    foremost: float
    """Share of them; 0 if there was none."""
    without: dict[str, float]
    """The same of the order without a source."""


@dataclass(frozen=True, slots=True)
class Predictability:
    """Accuracy of the estimators on one trace."""

    time_s: list[float]
    rank_correlation: list[float]
    """At these times: Spearman's, between predicted and actual order of all who call again."""
    median_rank_correlation: float | None
    """None = too few calls to say."""
    next_callers_foreseen: float | None
    """Mean share of the next callers (a tenth of the NPCs) that had the smallest distances."""
    calibration: list[Calibration]
    chances: list[Chances]
    worth: Worth
    errors: list[Errors]
    foreseen_share: dict[str, float]
    """Lookback in seconds -> share of the calls that were within the prefetch horizon by then."""


def predictability(trace: Trace, settings: Assumptions, horizon_s: float) -> Predictability:
    """Run the estimators over a trace and compare what they said with what came.

    Args:
        trace: what happened.
        settings: of the estimators.
        horizon_s: the distance below which state is prefetched.
    """
    replay, predictions = Playback(trace, settings), Predictions()
    rows = np.arange(len(trace.npcs), dtype=np.uint32)
    errors: defaultdict[tuple[Estimator, float], list[float]] = defaultdict(list)
    judged: Counter[float] = Counter()
    near: Counter[float] = Counter()
    time_s, correlations, foreseen = [], [], []
    said_s: list[NDArray[np.float32]] = []
    seen_s: list[NDArray[np.float32]] = []
    calls = iter(trace.calls)
    call = next(calls, None)
    open_until: list[tuple[float, int]] = []
    sample_due_s = -np.inf
    for tick in trace.ticks:
        while call is not None and call.time_s <= tick.time_s:
            for found in predictions.before(call.row, call.row, call.time_s):
                judged[found.lookback_s] += 1
                near[found.lookback_s] += found.distance_s < horizon_s
                if found.estimator is not Estimator.NONE:
                    errors[found.estimator, found.lookback_s].append(found.error_s)
            replay.begin_call(call.row)
            heapq.heappush(open_until, (call.time_s + call.duration_s, call.row))
            call = next(calls, None)
        replay.tick(tick)
        while open_until and open_until[0][0] <= tick.time_s:
            end_s, row = heapq.heappop(open_until)
            replay.end_call(row, end_s)
        distances = replay.estimate()
        predictions.record(distances, rows)
        if tick.time_s < sample_due_s:
            continue
        sample_due_s = tick.time_s + SAMPLE_S
        actual_s = replay.until_next_s()
        # Who talks now has its call; the question is who is next.
        waiting = np.isfinite(actual_s) & (distances.winner != Estimator.CONVERSATION)
        idle = distances.winner != Estimator.CONVERSATION
        said_s.append(distances.distance_s[idle])
        seen_s.append(actual_s[idle])
        predicted_s, actual_s = distances.distance_s[waiting], actual_s[waiting]
        correlation = rank_correlation(predicted_s, actual_s)
        if correlation is not None:
            time_s.append(tick.time_s)
            correlations.append(correlation)
            foreseen.append(_overlap(predicted_s, actual_s, round(NEXT_SHARE * len(rows))))
    return Predictability(
        time_s=time_s,
        rank_correlation=correlations,
        median_rank_correlation=float(np.median(correlations)) if correlations else None,
        next_callers_foreseen=float(np.mean(foreseen)) if foreseen else None,
        calibration=list(calibrated(said_s, seen_s)),
        chances=list(_chances(replay.forecast.record)),
        worth=_worth(replay.forecast.record),
        errors=[_errors(*key, errors[key]) for key in sorted(errors)],
        foreseen_share={
            f"{lookback_s:g}": near[lookback_s] / judged[lookback_s]
            for lookback_s in LOOKBACKS_S
            if judged[lookback_s] and lookback_s < horizon_s
        },
    )


def calibrated(
    said_s: list[NDArray[np.float32]], seen_s: list[NDArray[np.float32]]
) -> Iterator[Calibration]:
    """Compare, band by band, what was said with what came."""
    if not said_s:
        return
    said, seen = np.concatenate(said_s), np.concatenate(seen_s)
    bands = np.searchsorted(BANDS_S, said)
    for band, up_to_s in enumerate((*BANDS_S, None)):
        within = bands == band
        if within.any():
            equivalents = (_certain_s(said[within]), _certain_s(seen[within]))
            yield Calibration(up_to_s, int(within.sum()), *equivalents)


def _chances(record: Record) -> Iterator[Chances]:
    for row, within_s in enumerate(HORIZONS_S):
        for column, band in enumerate(BANDS):
            if looks := int(record.looks[row, column]):
                said, came = record.said[row, column], record.came[row, column]
                yield Chances(within_s, band, looks, float(said / looks), float(came / looks))


def _worth(record: Record) -> Worth:
    of = max(record.callers, 1)
    without = {s.name.lower(): count / of for s, count in record.foremost_without.items()}
    return Worth(record.callers, record.foremost / of, without)


def _certain_s(distance_s: NDArray[np.float32]) -> float | None:
    """Certainty equivalent of calls at these times; None if none comes."""
    worth = float(np.exp(-distance_s / np.float32(TAU_S)).mean())
    return -TAU_S * float(np.log(worth)) if worth > 0.0 else None


def rank_correlation(
    predicted_s: NDArray[np.float32], actual_s: NDArray[np.float32]
) -> float | None:
    """Spearman's rank correlation, ties sharing their mean rank; None = there is no order.

    Predictions that are all the same tell no order: they correlate with nothing, 0.
    """
    if len(actual_s) < MIN_ORDERED or np.ptp(actual_s) == 0.0:
        return None
    one, other = _mean_ranks(predicted_s), _mean_ranks(actual_s)
    if np.ptp(one) == 0.0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _mean_ranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(count) - (count - 1) / 2.0)[place]
    return ranks


def _overlap(predicted_s: NDArray[np.float32], actual_s: NDArray[np.float32], count: int) -> float:
    """Share of the ``count`` soonest callers that are among the ``count`` smallest distances."""
    count = min(max(count, 1), len(actual_s))
    guessed = np.argsort(predicted_s, kind="stable")[:count]
    came = np.argsort(actual_s, kind="stable")[:count]
    return len(np.intersect1d(guessed, came)) / count


def _errors(estimator: Estimator, lookback_s: float, errors_s: list[float]) -> Errors:
    p10_s, p50_s, p90_s = np.percentile(errors_s, [10, 50, 90]).tolist()
    return Errors(estimator.name.lower(), lookback_s, len(errors_s), p10_s, p50_s, p90_s)
