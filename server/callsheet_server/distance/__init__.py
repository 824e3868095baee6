"""Ticks in, invocation distance of every NPC out: no clock, no randomness, no I/O."""

from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.distance.distances import Distances
from callsheet_server.distance.explain import Explanation, explain
from callsheet_server.distance.forecast import ROWS_PER_ESTIMATE, Forecast
from callsheet_server.distance.record import BANDS, HORIZONS_S, LEARNED, Record
from callsheet_server.distance.sources import Estimator

__all__ = [
    "BANDS",
    "HORIZONS_S",
    "LEARNED",
    "ROWS_PER_ESTIMATE",
    "Assumptions",
    "Distances",
    "Estimator",
    "Explanation",
    "Forecast",
    "Record",
    "explain",
]
