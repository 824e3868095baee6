"""Snapshot in, invocation distance of every NPC out. Pure: no clock, no randomness, no I/O."""

from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.distance.distances import Distances, Estimator, estimate
from callsheet_server.distance.explain import Explanation, explain

__all__ = [
    "Assumptions",
    "Distances",
    "Estimator",
    "Explanation",
    "estimate",
    "explain",
]
