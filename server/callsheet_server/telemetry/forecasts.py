"""Counters of what forecasts said and what came, of all worlds together."""

from __future__ import annotations

from copy import deepcopy
from weakref import WeakKeyDictionary

from callsheet_server.distance import BANDS, HORIZONS_S, Record
from callsheet_server.telemetry.metrics import Metrics

__all__ = ["Forecasts"]


class Forecasts:
    """Counts what is new in the records of the worlds."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._counted: WeakKeyDictionary[Record, Record] = WeakKeyDictionary()

    def count(self, record: Record) -> None:
        """Count what was taken in since the last time."""
        before = self._counted.get(record) or Record()
        if record.looks.sum() == before.looks.sum():
            return
        self._counted[record] = deepcopy(record)
        metrics = self._metrics
        for row, within_s in enumerate(HORIZONS_S):
            for column, band in enumerate(BANDS):
                labels, at = (f"{within_s:g}s", band), (row, column)
                looks, said, came = (
                    float(now[at] - then[at])
                    for now, then in (
                        (record.looks, before.looks),
                        (record.said, before.said),
                        (record.came, before.came),
                    )
                )
                metrics.forecast_looks.labels(*labels).inc(looks)
                metrics.forecast_calls_said.labels(*labels).inc(said)
                metrics.forecast_calls_came.labels(*labels).inc(came)
        metrics.forecast_callers.inc(record.callers - before.callers)
        metrics.forecast_foremost.labels("none").inc(record.foremost - before.foremost)
        for source, foremost in record.foremost_without.items():
            more = foremost - before.foremost_without[source]
            metrics.forecast_foremost.labels(source.name.lower()).inc(more)
