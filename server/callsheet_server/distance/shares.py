"""Shares of the sources in a forecast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance.evidence import SOURCES, Evidence, encode, unknown
from callsheet_server.distance.model import CallModel
from callsheet_server.distance.sources import Estimator

__all__ = ["raised"]


def raised(
    model: CallModel,
    evidence: Evidence,
    maker: NDArray[np.uint8],
    usual_rate_per_s: float,
) -> NDArray[np.float32]:
    """(R, S) log odds that each source adds, against an NPC of which nothing is known.

    Args:
        model: of the world.
        evidence: R rows.
        maker: (R,) source of the soonest estimate, which gets what that adds.
        usual_rate_per_s: calls of a usual NPC of the world.
    """
    parts = model.parts(evidence) - model.parts(encode(unknown(usual_rate_per_s)))
    found = np.zeros((len(parts), len(Estimator)), np.float32)
    for column, source in enumerate(SOURCES):
        if source is Estimator.NONE:
            found[np.arange(len(parts)), maker] += parts[:, column]
        else:
            found[:, source] += parts[:, column]
    return found
