"""The Prometheus metrics that are read off the server when it is asked for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import TypeVar, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from callsheet._version import __version__
from callsheet.wire.errors import ErrorCode
from callsheet_server.engine.engine import Occupancy
from callsheet_server.outgoing.views import TIER_NAMES
from callsheet_server.session.quota import Resource, Scope
from callsheet_server.storage.schema import CHECKED
from callsheet_server.talk.moderation import Kind, Outcome
from callsheet_server.talk.recall import RecallOutcome
from callsheet_server.telemetry.observed import ObservedServer

__all__ = ["ServerCollector"]

Labels = TypeVar("Labels")


class ServerCollector(Collector):
    """Collector of present values and of counts kept elsewhere: costs nothing until collected."""

    def __init__(self, server: ObservedServer, reply_errors: Counter[str]) -> None:
        """``reply_errors``: codes of the replies that broke off, kept up to date by the caller."""
        self._server = server
        self._reply_errors = reply_errors

    def describe(self) -> list[Metric]:
        """Describe nothing: names are not checked against those of other collectors."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._sessions()
        yield from self._storage()
        yield from self._engine()

    def _sessions(self) -> Iterator[Metric]:
        server = self._server
        sessions = GaugeMetricFamily(
            "callsheet_sessions", "Sessions; detached = lost, may resume.", labels=("role", "state")
        )
        for (role, state), count in Counter((s.role, s.state) for s in server.sessions).items():
            sessions.add_metric((role, state.value), count)
        yield sessions
        rooms = server.rooms.values()
        yield GaugeMetricFamily("callsheet_worlds", "Worlds with a session.", value=len(rooms))
        yield GaugeMetricFamily(
            "callsheet_npcs", "NPCs in all worlds.", value=sum(len(r.world.npcs) for r in rooms)
        )
        yield GaugeMetricFamily(
            "callsheet_players",
            "Players in all worlds.",
            value=sum(len(r.world.players) for r in rooms),
        )
        errors = CounterMetricFamily(
            "callsheet_errors", "What clients sent or asked for and was refused.", labels=("code",)
        )
        told = Counter(self._reply_errors)
        told.update({code.value: count for code, count in server.sessions.errors().items()})
        for code, count in _from_zero((code.value for code in ErrorCode), told):
            errors.add_metric((code,), count)
        yield errors
        refusals = CounterMetricFamily(
            "callsheet_quota_refusals",
            "Frames and requests refused because a quota was used up.",
            labels=("scope", "resource"),
        )
        for labels, count in _from_zero(
            product(get_args(Scope), get_args(Resource)), server.quotas.refusals
        ):
            refusals.add_metric(labels, count)
        yield refusals
        judged = CounterMetricFamily(
            "callsheet_moderated", "Texts that were judged.", labels=("kind", "outcome")
        )
        for labels, count in _from_zero(
            product(get_args(Kind), get_args(Outcome)), server.moderator.judged
        ):
            judged.add_metric(labels, count)
        yield judged
        yield CounterMetricFamily(
            "callsheet_unanswered_hears",
            "Times a script did not answer in time what its NPC heard.",
            value=server.answerer.unanswered_hears,
        )
        recalls = CounterMetricFamily(
            "callsheet_recalls", "Searches in what NPCs remember.", labels=("outcome",)
        )
        for ended, count in _from_zero(get_args(RecallOutcome), server.retriever.outcomes):
            recalls.add_metric((ended,), count)
        yield recalls
        failures = CounterMetricFamily(
            "callsheet_internal_failures",
            "Exceptions of the server's own that were caught; it went on.",
            labels=("where",),
        )
        disk = server.storage.disk
        failures.add_metric(("housekeeping",), server.housekeeping_failures)
        failures.add_metric(("mover",), server.mover.failures)
        failures.add_metric(("storage",), 0 if disk is None else disk.writer.told_failures)
        yield failures
        yield CounterMetricFamily(
            "callsheet_dropped_frames",
            "Unreliable frames dropped because a client reads too slowly.",
            value=server.connections.dropped_frames,
        )

    def _storage(self) -> Iterator[Metric]:
        storage = self._server.storage
        writer = storage.disk and storage.disk.writer
        for name, words, value in (
            ("commits", "Transactions that were put on disk.", writer and writer.commits),
            ("changes", "Changes in those transactions.", writer and writer.changes),
            ("failures", "Transactions that failed.", writer and writer.failures),
        ):
            yield CounterMetricFamily(f"callsheet_storage_{name}", words, value=value or 0)
        quarantined = CounterMetricFamily(
            "callsheet_storage_quarantined_rows", "Damaged rows taken out.", labels=("table",)
        )
        for table, count in _from_zero(CHECKED, storage.quarantined):
            quarantined.add_metric((table,), count)
        yield quarantined

    def _engine(self) -> Iterator[Metric]:
        engine = self._server.engine
        info, occupancy = engine.info, engine.occupancy()
        yield InfoMetricFamily(
            "callsheet_build",
            "The server and its engine.",
            value={
                "version": __version__,
                "engine": info.name,
                "engine_version": info.version,
                "model": info.model,
                "device": info.device,
            },
        )
        yield GaugeMetricFamily(
            "callsheet_requests_running", "Requests being generated.", value=occupancy.running
        )
        yield GaugeMetricFamily(
            "callsheet_requests_queued", "Requests in the engine's queue.", value=occupancy.queued
        )
        labels = ("kind", "tier")
        used = GaugeMetricFamily("callsheet_tier_used_bytes", "State in a tier.", labels=labels)
        budget = GaugeMetricFamily("callsheet_tier_budget_bytes", "Its budget.", labels=labels)
        items = GaugeMetricFamily("callsheet_tier_items", "Pieces of state.", labels=labels)
        for use in occupancy.tiers:
            values = (use.kind.value, TIER_NAMES[use.tier])
            used.add_metric(values, use.used_bytes)
            budget.add_metric(values, use.budget_bytes)
            items.add_metric(values, use.items)
        yield from (used, budget, items)
        yield from _replicas(occupancy)


def _replicas(occupancy: Occupancy) -> Iterator[Metric]:
    label = ("replica",)
    is_up = GaugeMetricFamily("callsheet_replica_up", "1 = it answers.", labels=label)
    npcs = GaugeMetricFamily("callsheet_replica_npcs", "NPCs at home there.", labels=label)
    running = GaugeMetricFamily("callsheet_replica_running", "Requests generated.", labels=label)
    queued = GaugeMetricFamily("callsheet_replica_queued", "Requests waiting.", labels=label)
    replies = CounterMetricFamily("callsheet_replica_replies", "Replies ended.", labels=label)
    hits = CounterMetricFamily(
        "callsheet_replica_device_hits", "Those whose prefix lay on the device.", labels=label
    )
    used = GaugeMetricFamily(
        "callsheet_replica_tier_used_bytes", "State in a tier.", labels=(*label, "kind", "tier")
    )
    for load in occupancy.replicas:
        name = (load.name,)
        is_up.add_metric(name, load.state != "lost")
        npcs.add_metric(name, load.npcs)
        running.add_metric(name, load.running)
        queued.add_metric(name, load.queued)
        replies.add_metric(name, load.replies)
        hits.add_metric(name, load.device_hits)
        for use in load.tiers:
            used.add_metric((*name, use.kind.value, TIER_NAMES[use.tier]), use.used_bytes)
    yield from (is_up, npcs, running, queued, replies, hits, used)


def _from_zero(
    expected: Iterable[Labels], counts: Mapping[Labels, int]
) -> Iterable[tuple[Labels, int]]:
    """Counts by label, those at 0 too: ``rate()`` misses the first event of a new series."""
    return {**dict.fromkeys(expected, 0), **counts}.items()
