"""Metrics and traces of what the server's parts report, and the pages that show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from weakref import WeakKeyDictionary

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from callsheet_residency.actions import Plan
from callsheet_residency.state import Tier
from callsheet_server.distance import Estimator
from callsheet_server.engine.engine import DoneMove
from callsheet_server.outgoing.views import TIER_NAMES
from callsheet_server.rooms.room import Room
from callsheet_server.talk.reply import Reply
from callsheet_server.telemetry import tracing
from callsheet_server.telemetry.collector import ServerCollector
from callsheet_server.telemetry.forecasts import Forecasts
from callsheet_server.telemetry.metrics import CLOSE_CODES, Metrics
from callsheet_server.telemetry.observed import ObservedServer
from callsheet_server.telemetry.predictions import Predictions
from callsheet_server.transport.http import Page
from callsheet_server.world.world import World

__all__ = ["Telemetry"]


class Telemetry:
    """Watches one server. Every method is called in the event loop and returns at once."""

    def __init__(self) -> None:
        self._metrics = Metrics()
        self._reply_errors: Counter[str] = Counter()
        self._predictions: WeakKeyDictionary[World, Predictions] = WeakKeyDictionary()
        self._forecasts = Forecasts(self._metrics)
        self._traces = tracing.Tracing() if tracing.INSTALLED else None

    def pages(self, server: ObservedServer) -> Mapping[str, Callable[[], Page]]:
        """Return ``/metrics``, ``/healthz`` and ``/readyz`` of a server. Called once."""
        registry = self._metrics.registry
        registry.register(ServerCollector(server, self._reply_errors))
        return {
            "/metrics": lambda: Page(generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4),
            "/healthz": lambda: Page(b"ok\n"),
            "/readyz": lambda: _ready(server),
        }

    def ticked(self, room: Room, npc_updates: int, seconds: float) -> None:
        """Note that a tick has gone through the pipeline."""
        self._metrics.ticks.inc()
        self._metrics.npc_updates.inc(npc_updates)
        self._metrics.tick_seconds.observe(seconds)
        self._forecasts.count(room.forecast.record)
        if room.distances is not None:
            if (predictions := self._predictions.get(room.world)) is None:
                predictions = self._predictions[room.world] = Predictions()
            handle = room.world.columns.handle[: len(room.distances.distance_s)]
            predictions.record(room.distances, handle)

    def called(self, room: Room, npc: str) -> None:
        """Note an accepted request to an NPC, and whether it was expected."""
        self._metrics.requests.inc()
        predictions = self._predictions.get(room.world)
        if predictions is None:
            return
        of = room.world.npc(npc)
        for prediction in predictions.before(of.row, of.handle, room.world.game_time_s):
            lookback = f"{prediction.lookback_s:g}s"
            if prediction.estimator is Estimator.NONE:
                self._metrics.unexpected_calls.labels(lookback).inc()
            else:
                self._metrics.distance_error_seconds.labels(
                    prediction.estimator.name.lower(),
                    lookback,
                    "early" if prediction.error_s < 0.0 else "late",
                ).observe(abs(prediction.error_s))

    def shed(self, reply: Reply) -> None:
        """Note a request that made room for a more urgent one, or found none."""
        self._metrics.shed_requests.labels(reply.priority.name.lower()).inc()

    def disconnected(self, close_code: int) -> None:
        """Note that a connection has ended, whichever side ended it. Clients may send any code."""
        known = close_code in CLOSE_CODES
        self._metrics.closes.labels(str(close_code) if known else "other").inc()

    def replied(self, reply: Reply) -> None:
        """Note that a reply has ended, or was refused after it was accepted."""
        metrics, end = self._metrics, reply.generation
        if reply.finish_reason is not None:
            metrics.replies.labels(reply.finish_reason).inc()
            if reply.error_code is not None:
                self._reply_errors[reply.error_code] += 1
        if end is not None:
            metrics.prompt_tokens.inc(end.prompt_tokens)
            metrics.cached_tokens.inc(end.cached_tokens)
            metrics.generated_tokens.inc(end.generated_tokens)
            metrics.queue_seconds.observe(end.queue_s)
            metrics.generation_seconds.observe(end.total_s)
            if end.generated_tokens:
                resident = "true" if end.tier_at_start is Tier.DEVICE else "false"
                metrics.ttft_seconds.labels(resident).observe(end.ttft_s)
        if self._traces is not None:
            self._traces.replied(reply)

    def planned(self, plan: Plan, seconds: float) -> None:
        """Note a plan with moves in it."""
        self._metrics.plan_seconds.observe(seconds)
        if self._traces is not None:
            self._traces.planned(plan, seconds)

    def moved(self, move: DoneMove) -> None:
        """Note that a move has ended."""
        metrics, action = self._metrics, move.action
        labels = action.kind.value, TIER_NAMES[action.source], TIER_NAMES[action.target]
        if move.error is not None:
            metrics.failed_moves.labels(*labels).inc()
        else:
            metrics.moves.labels(*labels).inc()
            metrics.moved_bytes.labels(*labels).inc(move.moved_bytes)
            if move.seconds:
                metrics.move_seconds.labels(*labels).observe(move.seconds)
        if self._traces is not None:
            self._traces.moved(move)


def _ready(server: ObservedServer) -> Page:
    if server.draining:
        return Page(b"draining\n", status=HTTPStatus.SERVICE_UNAVAILABLE)
    return Page(b"ready\n")
