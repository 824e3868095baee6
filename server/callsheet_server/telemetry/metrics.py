"""The Prometheus metrics that are fed where events pass; see ``docs/observability.md``."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Final, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from callsheet.wire.errors import CloseCode
from callsheet.wire.fields import StateKindName
from callsheet.wire.talk import FinishReason
from callsheet_server.distance import BANDS, HORIZONS_S, LEARNED
from callsheet_server.engine.engine import Priority
from callsheet_server.telemetry.predictions import LOOKBACKS_S

__all__ = ["CLOSE_CODES", "Metrics"]

CLOSE_CODES: Final = frozenset({1000, 1001, 1002, 1005, 1006, 1007, 1009, 1011, *CloseCode})
"""Those that have a series of their own."""

TICK_BUCKETS_S: Final = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
MOVE_BUCKETS_S: Final = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
TTFT_BUCKETS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0,
                         30.0)  # fmt: skip
ERROR_BUCKETS_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0)
MOVE_LABELS: Final = ("kind", "source", "target")
CHANCE_LABELS: Final = ("within", "chance")


class Metrics:
    """Counters and histograms of one server, in a registry of their own.

    Labels take values from fixed lists only. Worlds and NPCs, whose names clients choose, are in
    logs and traces.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, about: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(f"callsheet_{name}", about, labels, registry=registry)

        def histogram(
            name: str, about: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()
        ) -> Histogram:
            return Histogram(f"callsheet_{name}", about, labels, buckets=buckets, registry=registry)

        self.ticks = counter("ticks", "Ticks taken in.")
        self.npc_updates = counter("npc_updates", "NPC records in ticks.")
        self.tick_seconds = histogram(
            "tick_seconds", "Time one tick takes through the pipeline.", TICK_BUCKETS_S
        )
        self.plan_seconds = histogram(
            "plan_seconds", "Time of planning, where it led to moves.", TICK_BUCKETS_S
        )
        self.requests = counter("requests", "Requests for a reply of the model that were accepted.")
        self.shed_requests = counter(
            "shed_requests", "Requests without room, or that made room.", ("priority",)
        )
        self.closes = counter("closes", "Connections that ended, by close code.", ("code",))
        self.replies = counter("replies", "Replies that ended, lines given included.",
                               ("finish_reason",))  # fmt: skip
        self.ttft_seconds = histogram(
            "ttft_seconds",
            "Time to first token, by whether the prefix was on the device at the start.",
            TTFT_BUCKETS_S,
            ("resident",),
        )
        self.queue_seconds = histogram(
            "queue_seconds", "Time a request waits in the engine's queue.", TTFT_BUCKETS_S
        )
        self.generation_seconds = histogram(
            "generation_seconds", "Time from a request to its last token.", TTFT_BUCKETS_S
        )
        self.prompt_tokens = counter("prompt_tokens", "Tokens of prompts.")
        self.cached_tokens = counter(
            "cached_tokens", "Tokens of prompts whose KV was reused, not computed."
        )
        self.generated_tokens = counter("generated_tokens", "Tokens generated.")
        self.moves = counter("moves", "Moves of state between tiers.", MOVE_LABELS)
        self.moved_bytes = counter("moved_bytes", "Bytes those moves carried.", MOVE_LABELS)
        self.move_seconds = histogram(
            "move_seconds", "Time one move takes.", MOVE_BUCKETS_S, MOVE_LABELS
        )
        self.failed_moves = counter("failed_moves", "Moves that did not happen.", MOVE_LABELS)
        self.distance_error_seconds = histogram(
            "distance_error_seconds",
            "Predicted against actual gap, in game time: how far off the distance was that an NPC "
            "had this long before it called, and whether it said too early or too late.",
            ERROR_BUCKETS_S,
            ("estimator", "lookback", "predicted"),
        )
        self.unexpected_calls = counter(
            "unexpected_calls", "Calls that no estimator expected this long before.", ("lookback",)
        )
        self.forecast_looks = counter(
            "forecast_looks", "Looks at an NPC of which a chance was said.", CHANCE_LABELS
        )
        self.forecast_calls_said = counter(
            "forecast_calls_said", "Sum of those chances of a call in time.", CHANCE_LABELS
        )
        self.forecast_calls_came = counter(
            "forecast_calls_came", "Looks after which a call came in time.", CHANCE_LABELS
        )
        self.forecast_callers = counter(
            "forecast_callers", "Looks at NPCs that then called within 5 s."
        )
        self.forecast_foremost = counter(
            "forecast_foremost",
            "Those in the front quarter of the order, or of that without a source.",
            ("without",),
        )

        tiers = ("device", "host", "disk", "absent")
        moves = [
            (kind, source, target)
            for kind, source, target in product(get_args(StateKindName), tiers, tiers)
            if source != target
        ]
        for one in (self.moves, self.moved_bytes, self.failed_moves):
            _begin_at_zero(one, moves)
        _begin_at_zero(self.replies, zip(get_args(FinishReason)))
        _begin_at_zero(self.shed_requests, zip(priority.name.lower() for priority in Priority))
        _begin_at_zero(self.closes, zip((*map(str, sorted(CLOSE_CODES)), "other")))
        _begin_at_zero(self.ttft_seconds, (("true",), ("false",)))
        _begin_at_zero(self.unexpected_calls, zip(f"{seconds:g}s" for seconds in LOOKBACKS_S))
        chances = list(product((f"{within_s:g}s" for within_s in HORIZONS_S), BANDS))
        for one in (self.forecast_looks, self.forecast_calls_said, self.forecast_calls_came):
            _begin_at_zero(one, chances)
        _begin_at_zero(self.forecast_foremost, zip(("none", *(s.name.lower() for s in LEARNED))))


def _begin_at_zero(metric: Counter | Histogram, labels: Iterable[tuple[str, ...]]) -> None:
    """Show a metric's series before they count: ``rate()`` misses the first of one that is new."""
    for values in labels:
        metric.labels(*values)
