"""Play a trace through the estimators and the planner alone: what would each policy have done?

The controller, ledger, planner and estimators are the server's own; only the store is a model,
whose moves take the time their bytes need on the links given. A planned move is done by the end of
the tick it was planned in: the planner never plans more than the links can carry, but a move's
delay within a tick is not modelled. A call that finds its NPC's prefix off the device is a miss and
brings it there at once. Calls of the same time as a tick come before it.

The optimum. Belady's rule is optimal for demand paging of equal sizes, where every first use and
every return is a miss; a prefetcher can beat it. No exact optimum is computed here: "the optimum"
is the better of two clairvoyants, Belady's demand paging, and our planner fed the true times of the
next calls over the same links, horizon and budgets.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.actions import Action, Evict, Load, Plan
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, Tier
from callsheet_server.distance import Assumptions, Distances, Forecast
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.residency.policies import Policy, Recording
from callsheet_server.tools.simulation.store import ModelStore
from callsheet_server.trace.trace import Trace, TraceCall, TraceTick
from callsheet_server.world.snapshot import Snapshot

__all__ = ["Links", "Playback", "SimulationReport", "TierBudgets", "simulate"]

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TierBudgets:
    """Bytes for prefixes in each tier; 0 = the tier is not used."""

    device_bytes: int
    host_bytes: int
    disk_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Links:
    """Bytes a second between the tiers."""

    device_bytes_per_s: float = 4e9
    """Host to device, and back."""
    disk_bytes_per_s: float = 4e8


@dataclass(slots=True)
class SimulationReport:
    """Report on a simulation under one policy."""

    policy: str
    calls: int = 0
    on_device: int = 0
    """Calls that found their prefix there: the hits."""
    on_host: int = 0
    on_disk: int = 0
    absent: int = 0
    loaded_bytes: int = 0
    evicted_bytes: int = 0
    rebuilds: int = 0
    prefetches: int = 0
    prefetches_wasted: int = 0
    """Prefetches evicted again before any call."""

    @property
    def hit_rate(self) -> float:
        """Share of calls that found their prefix on the device; NaN without calls."""
        return self.on_device / self.calls if self.calls else float("nan")

    @property
    def moved_bytes(self) -> int:
        return self.loaded_bytes + self.evicted_bytes


def simulate(
    trace: Trace,
    policy: Policy[Recording],
    budgets: TierBudgets,
    links: Links,
    residency: PolicySettings | None = None,
    distance: Assumptions | None = None,
) -> SimulationReport:
    """Play ``trace`` under ``policy``. Deterministic; no I/O.

    Args:
        trace: what happened.
        policy: one of ``POLICIES``.
        budgets: what each tier may hold.
        links: how fast state moves.
        residency: settings of the planner; the policy may override some. Default: the server's.
        distance: settings of the estimators. Default: the server's.
    """
    playback = Playback(trace, distance or Assumptions())
    run = _Run(trace, policy, budgets, links, residency or PolicySettings())
    calls = iter(trace.calls)
    call = next(calls, None)
    for tick in trace.ticks:
        while call is not None and call.time_s <= tick.time_s:
            run.call(call, playback)
            call = next(calls, None)
        playback.tick(tick)
        run.end_calls(playback)
        run.plan(playback)
    while call is not None:
        run.call(call, playback)
        call = next(calls, None)
    run.check_integrity()
    return run.report


class Playback:
    """The world as it was at one moment of the trace; a ``Recording`` for policies.

    Whoever replays says when calls begin and end: a simulation from the trace, a real engine from
    the clock.
    """

    def __init__(self, trace: Trace, settings: Assumptions) -> None:
        count = len(trace.npcs)
        self.now_s = 0.0
        self._trace = trace
        self.forecast = Forecast(settings)
        self._position_m = np.zeros((count, 3), np.float32)
        self._velocity_mps = np.zeros((count, 3), np.float32)
        self._scheduled_s = np.full(count, np.nan)
        self._radius_m = np.array([n.interaction_radius_m for n in trace.npcs], np.float32)
        self._sociability = np.array([n.sociability for n in trace.npcs], np.float32)
        self._player_position_m = np.zeros((0, 3), np.float32)
        self._player_velocity_mps = np.zeros((0, 3), np.float32)
        self._seen = np.zeros(count, np.bool_)
        self._open = np.zeros(count, np.int32)
        self._last_call_s = np.full(count, np.nan)
        self._calls_s: list[list[float]] = [[] for _ in range(count)]
        for call in trace.calls:
            self._calls_s[call.row].append(call.time_s)

    def tick(self, tick: TraceTick) -> None:
        """Take in a tick."""
        self.now_s = tick.time_s
        self._seen[tick.rows] = True
        self._seen[tick.inactive_rows] = False
        self._position_m[tick.rows] = tick.position_m
        self._velocity_mps[tick.rows] = tick.velocity_mps
        self._scheduled_s[tick.rows] = tick.scheduled_call_s
        self._player_position_m = tick.player_position_m
        self._player_velocity_mps = tick.player_velocity_mps

    def begin_call(self, row: int) -> None:
        """Note that a turn of this NPC is open from now on."""
        self._open[row] += 1

    def end_call(self, row: int, end_s: float) -> None:
        """Note that a turn of this NPC ended at ``end_s``, game time."""
        self._open[row] -= 1
        self._last_call_s[row] = end_s

    def estimated_s(self) -> F32:
        return self.estimate().distance_s

    def snapshot(self) -> Snapshot:
        """The world as the estimators see it after the last tick."""
        return Snapshot(
            game_time_s=self.now_s,
            alive=self._seen,
            handle=np.arange(len(self._seen), dtype=np.uint32),
            position_m=self._position_m,
            velocity_mps=self._velocity_mps,
            interaction_radius_m=self._radius_m,
            sociability=self._sociability,
            scheduled_call_s=self._scheduled_s,
            in_conversation=self._open > 0,
            last_call_s=self._last_call_s,
            player_position_m=self._player_position_m,
            player_velocity_mps=self._player_velocity_mps,
            player_max_speed_mps=self._trace.player_max_speed_mps,
            npc_max_speed_mps=self._trace.npc_max_speed_mps,
        )

    def estimate(self) -> Distances:
        """Estimate everybody's distance as the server would have done after the last tick."""
        return self.forecast.estimate(self.snapshot())

    def unused_s(self) -> F32:
        unused_s = np.where(np.isnan(self._last_call_s), np.inf, self.now_s - self._last_call_s)
        unused_s[self._open > 0] = 0.0
        return unused_s.astype(np.float32)

    def until_next_s(self) -> F32:
        next_s = [
            times[at] if (at := bisect_right(times, self.now_s)) < len(times) else np.inf
            for times in self._calls_s
        ]
        until_s = np.array(next_s) - self.now_s
        until_s[self._open > 0] = 0.0
        return until_s.astype(np.float32)


class _Run:
    """A controller, a model store, and what has been counted."""

    def __init__(
        self,
        trace: Trace,
        policy: Policy[Recording],
        budgets: TierBudgets,
        links: Links,
        ours: PolicySettings,
    ) -> None:
        self.report = SimulationReport(policy.name)
        self._policy = policy
        self._links = links
        below = (budgets.host_bytes, budgets.disk_bytes) if policy.parks else (0, 0)
        self._store = ModelStore(trace.npcs, (budgets.device_bytes, *below))
        self._controller = ResidencyController([self._store], ours, policy)
        self._ledger = self._controller.ledger(StateKind.PREFIX)
        self._unused_prefetches: set[int] = set()
        self._ends: list[tuple[float, int]] = []
        """(time, row) of the calls under way."""
        for row in range(len(trace.npcs)):
            self._controller.link(trace.world, row, StateKind.PREFIX, row)
        self._world = trace.world

    def plan(self, playback: Playback) -> None:
        self._controller.set_distances(self._world, self._policy.distance_s(playback))
        made = self._controller.step(playback.now_s)
        self._carry_out(made)
        loads = [a for a in made.actions if isinstance(a, Load)]
        self.report.prefetches += len(loads)
        self._unused_prefetches.update(a.key for a in loads if isinstance(a.key, int))

    def call(self, call: TraceCall, playback: Playback) -> None:
        report, row = self.report, call.row
        report.calls += 1
        match self._store.tier(row):
            case Tier.DEVICE:
                report.on_device += 1
            case Tier.HOST:
                report.on_host += 1
            case Tier.DISK:
                report.on_disk += 1
            case Tier.ABSENT:
                report.absent += 1
        self._unused_prefetches.discard(row)
        self._carry_out(self._controller.demand(StateKind.PREFIX, row))
        self._ledger.pin(row)
        playback.begin_call(row)
        heapq.heappush(self._ends, (call.time_s + call.duration_s, row))

    def end_calls(self, playback: Playback) -> None:
        """End the calls whose time is over."""
        while self._ends and self._ends[0][0] <= playback.now_s:
            end_s, row = heapq.heappop(self._ends)
            playback.end_call(row, end_s)
            self._ledger.unpin(row)

    def check_integrity(self) -> None:
        self._controller.check_integrity()

    def _carry_out(self, made: Plan) -> None:
        for action in made.actions:
            self._controller.started(action)
            move = self._store.load if isinstance(action, Load) else self._store.evict
            moved_bytes = move(action.key, action.target)
            self._count(action, moved_bytes)
            self._controller.finished(action, moved_bytes, self._seconds(action), None)

    def _count(self, action: Action, moved_bytes: int) -> None:
        report = self.report
        if isinstance(action, Load):
            report.loaded_bytes += moved_bytes
            report.rebuilds += action.source is Tier.ABSENT
        else:
            report.evicted_bytes += moved_bytes
            if action.source is Tier.DEVICE and action.key in self._unused_prefetches:
                self._unused_prefetches.remove(action.key)
                report.prefetches_wasted += 1

    def _seconds(self, action: Load | Evict) -> float:
        if Tier.DISK in (action.source, action.target):
            return action.size_bytes / self._links.disk_bytes_per_s
        return action.size_bytes / self._links.device_bytes_per_s
