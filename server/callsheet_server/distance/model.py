"""The model: online logistic regression with a Gaussian posterior, one per world.

It predicts the discounted call E[exp(-T / tau)], T being the time to the next call: the worth of
having the NPC ready now. For a caller at random with rate r that is r tau / (1 + r tau), whose
logit is log(r tau): rates and chances come in by their logarithms, and a weight near 1 means "as
said". The distance is the certainty equivalent: the time of a sure call that is worth as much.

Each batch is one Newton step on the posterior (mean and precision), in which old batches fade and
the prior comes back: what a game no longer shows is forgotten.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.worth import TAU_S
from callsheet_server.distance.evidence import PRIOR, WEIGHTS, Evidence

__all__ = ["CallModel"]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

PRIOR_PRECISION = 10.0
"""Belief in the prior weights; in lessons, each of which brings at most 1/4."""
MEMORY_S = 600.0
"""A lesson weighs half after this much game time."""
MOST_STEPS = 25
LEAST_VARIANCE = 1e-3
ROWS_AT_ONCE = 16
"""OpenBLAS spreads larger products over threads, which wait for each other on a busy machine."""
MOST_LOGIT = 15.0


class CallModel:
    """Weights of the evidence, and how sure they are."""

    def __init__(self) -> None:
        self.weight = PRIOR.copy()
        self.precision = PRIOR_PRECISION * np.eye(WEIGHTS)

    def logit(self, evidence: Evidence) -> F32:
        """(R,) log odds of the discounted call."""
        active = self.weight.astype(np.float32)[evidence.index] * evidence.value
        logit: F32 = active.sum(axis=1)
        return logit

    def parts(self, evidence: Evidence) -> F32:
        """(R, G) what each group adds to the log odds."""
        parts: F32 = self.weight.astype(np.float32)[evidence.index] * evidence.value
        return parts

    def learn(self, evidence: Evidence, came: F64, each: float, passed_s: float) -> None:
        """Take in what became of a batch.

        Args:
            evidence: R rows, as they were.
            came: (R,) float64, exp(-T / tau); 0 = no call came.
            each: how much one row weighs.
            passed_s: game time since the last batch.
        """
        said = chance(np.clip(self.logit(evidence), -MOST_LOGIT, MOST_LOGIT).astype(np.float64))
        kept = 0.5 ** (passed_s / MEMORY_S)
        curvature = each * np.maximum(said * (1.0 - said), LEAST_VARIANCE)
        self.precision *= kept
        self.precision[np.diag_indices(WEIGHTS)] += (1.0 - kept) * PRIOR_PRECISION
        x = evidence.dense()
        for first in range(0, len(x), ROWS_AT_ONCE):
            some = x[first : first + ROWS_AT_ONCE]
            self.precision += (some * curvature[first : first + ROWS_AT_ONCE, None]).T @ some
        error = (each * (came - said))[:, None] * evidence.value
        slope: F64 = np.bincount(evidence.index.ravel(), error.ravel(), WEIGHTS).astype(np.float64)
        slope += (1.0 - kept) * PRIOR_PRECISION * (PRIOR - self.weight)
        self.weight = self.weight + solve(self.precision, slope)


def solve(matrix: F64, wanted: F64) -> F64:
    """Solve a positive definite system by preconditioned conjugate gradients, near enough.

    Elementwise on purpose: LAPACK's threads cost 100 ms here when other processes hold the cores.
    """
    scale = 1.0 / np.diagonal(matrix)
    found, left = np.zeros_like(wanted), wanted.copy()
    ahead = scale * left
    power = float((left * ahead).sum())
    enough = power * 1e-8
    for _ in range(MOST_STEPS):
        if power <= enough:
            break
        pushed = (matrix * ahead).sum(axis=1)
        step = power / float((ahead * pushed).sum())
        found += step * ahead
        left -= step * pushed
        settled = scale * left
        before, power = power, float((left * settled).sum())
        ahead = settled + power / before * ahead
    return found


def chance(logit: F64) -> F64:
    """The logistic function."""
    odds: F64 = 1.0 / (1.0 + np.exp(-logit))
    return odds


def certain_s(logit: F32) -> F32:
    """(R,) certainty equivalents of discounted calls: -tau log(chance); +inf of log odds -inf."""
    bounded = np.clip(-logit, -MOST_LOGIT, 80.0)
    seconds: F32 = np.float32(TAU_S) * np.log1p(np.exp(bounded))
    seconds[np.isneginf(logit)] = np.inf
    return seconds
