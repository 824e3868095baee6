"""Our counters in SGLang's own /metrics (``--enable-metrics``).

SGLang serves them from files that all its processes write (Prometheus' multiprocess mode), and sets
that up before it starts its schedulers; prometheus_client must be imported after that.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from callsheet_sglang.kv.scheduler_state import Counters, SchedulerState

__all__ = ["Metrics"]

EXPORT_EVERY_ITERATIONS = 50


class Metrics:
    """Copies totals to Prometheus now and then; one per scheduler process."""

    def __init__(self) -> None:
        from prometheus_client import Counter

        self._totals: dict[str, Any] = {}
        for column in fields(Counters):
            if not column.name.startswith("longest_"):
                name = column.name.removesuffix("_s") + ("_seconds" * column.name.endswith("_s"))
                about = f"Callsheet: {column.name.replace('_', ' ')}, since the start"
                self._totals[column.name] = Counter(f"callsheet_{name}", about)
        self._fallbacks = Counter(
            "callsheet_fallbacks",
            "Callsheet: exceptions of its own code, after which SGLang did as without it",
        )
        self._updates = Counter("callsheet_updates", "Callsheet: updates of distances taken in")
        self._told: dict[str, float] = {}
        self._iterations = 0

    def export(self, state: SchedulerState) -> None:
        """Add what has happened since the last time; while requests run, every so many calls."""
        self._iterations += 1
        busy = not state.scheduler.running_batch.is_empty()
        if busy and self._iterations % EXPORT_EVERY_ITERATIONS:
            return
        for name, total in self._totals.items():
            self._add(name, total, getattr(state.counters, name))
        self._add("updates", self._updates, state.table.updates)
        self._add("fallbacks", self._fallbacks, state.guard.caught.total())

    def _add(self, name: str, counter: Any, total: float) -> None:
        more = total - self._told.get(name, 0)
        if more > 0:
            counter.inc(more)
            self._told[name] = total
