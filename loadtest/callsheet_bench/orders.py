"""Orders of NPCs at every tick of a trace, by rules to compare ours with."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance import Assumptions
from callsheet_server.distance.approach import columns, time_to_reach_s
from callsheet_server.distance.conversation import conversation
from callsheet_server.distance.encounter import EncounterState, encounter, nearest_sociable
from callsheet_server.distance.proximity import proximity
from callsheet_server.distance.schedule import schedule
from callsheet_server.tools.simulation import Playback
from callsheet_server.trace.trace import Trace
from callsheet_server.world.snapshot import Snapshot

__all__ = ["Orders", "follow", "orders"]

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Orders:
    """(T, N) float32 each, by tick and NPC: greater = evicted first."""

    before: F32
    """Callsheet 1.1's: the smallest of five estimates."""
    lru: F32
    lfu: F32
    kvflow: F32
    belady: F32


def follow(trace: Trace) -> Iterator[Playback]:
    """Play a trace; yields the world after every tick, the same object each time."""
    playback = Playback(trace, Assumptions())
    ends: list[tuple[float, int]] = []
    calls, at = trace.calls, 0
    for tick in trace.ticks:
        while at < len(calls) and calls[at].time_s <= tick.time_s:
            call, at = calls[at], at + 1
            playback.begin_call(call.row)
            heapq.heappush(ends, (call.time_s + call.duration_s, call.row))
        playback.tick(tick)
        while ends and ends[0][0] <= tick.time_s:
            end_s, row = heapq.heappop(ends)
            playback.end_call(row, end_s)
        yield playback


def orders(trace: Trace) -> Orders:
    """Work out all orders in one pass."""
    past, assumed = _Gaps(len(trace.npcs)), Assumptions()
    met: EncounterState | None = None
    before, lru, lfu, kvflow, belady = [], [], [], [], []
    count, open_before = np.zeros(len(trace.npcs)), np.zeros(len(trace.npcs), np.bool_)
    for playback in follow(trace):
        snapshot = playback.snapshot()
        past.observe(snapshot)
        encounter_s, met = encounter(snapshot, assumed, met)
        smallest_s = np.minimum(conversation(snapshot), schedule(snapshot, assumed))
        for value_s in (proximity(snapshot, assumed), encounter_s, past.left_s(snapshot)):
            smallest_s = np.minimum(smallest_s, value_s)
        smallest_s[~snapshot.alive] = np.inf
        before.append(smallest_s)
        count += snapshot.in_conversation & ~open_before
        open_before = snapshot.in_conversation.copy()
        unused_s = playback.unused_s()
        lru.append(unused_s)
        recent = 1.0 / (2.0 + np.minimum(unused_s, 1e6))
        lfu.append((-count - recent).astype(np.float32))
        kvflow.append(_kvflow_s(snapshot))
        belady.append(playback.until_next_s())
    return Orders(
        np.array(before), np.array(lru), np.array(lfu), np.array(kvflow), np.array(belady)
    )


class _Gaps:
    """Callsheet 1.1's history: running mean and deviation of the gaps between ends of calls."""

    def __init__(self, npcs: int) -> None:
        self._ended_s = np.full(npcs, np.nan)
        self._gaps = np.zeros(npcs)
        self._mean_s = np.full(npcs, np.nan)
        self._variance_s2 = np.zeros(npcs)

    def observe(self, snapshot: Snapshot) -> None:
        ended_s = snapshot.last_call_s
        for row in np.flatnonzero(~np.isnan(ended_s) & (ended_s != self._ended_s)).tolist():
            gap_s = ended_s[row] - self._ended_s[row]
            if not np.isnan(gap_s):
                self._gaps[row] += 1
                weight = 1.0 / min(self._gaps[row], 16)
                mean_s = gap_s if self._gaps[row] == 1 else self._mean_s[row]
                off_s = gap_s - mean_s
                self._mean_s[row] = mean_s + weight * off_s
                variance_s2 = self._variance_s2[row] + weight * off_s**2
                self._variance_s2[row] = (1.0 - weight) * variance_s2
        self._ended_s = ended_s.copy()

    def left_s(self, snapshot: Snapshot) -> F32:
        """Root mean square of the time left."""
        elapsed_s = snapshot.game_time_s - self._ended_s
        left_s = np.hypot(self._mean_s - elapsed_s, np.sqrt(self._variance_s2))
        return np.nan_to_num(left_s, nan=np.inf).astype(np.float32)


def _kvflow_s(snapshot: Snapshot) -> F32:
    """KVFlow's rule: the smallest of the hints of steps and space (arXiv 2507.07400, 2601.21473).

    The announced step, and the earliest time at which a player or another agent who talks can be in
    reach, at full speed.
    """
    nearest_s = np.minimum(conversation(snapshot), schedule(snapshot, Assumptions()))
    full_mps = snapshot.player_max_speed_mps + snapshot.npc_max_speed_mps
    for place_m in snapshot.player_position_m:
        offset_m = columns(snapshot.position_m - place_m)
        still = (np.zeros_like(offset_m[0]),) * 3
        reach_s = time_to_reach_s(offset_m, still, snapshot.interaction_radius_m, full_mps)
        nearest_s = np.minimum(nearest_s, reach_s)
    rows, partners = nearest_sociable(snapshot, Assumptions(encounter_cooldown_s=0.0))
    if len(rows):
        offset_m = columns(snapshot.position_m[partners] - snapshot.position_m[rows])
        still = (np.zeros_like(offset_m[0]),) * 3
        radius_m = snapshot.interaction_radius_m[rows]
        slowest = 2.0 * snapshot.npc_max_speed_mps
        meets_s = time_to_reach_s(offset_m, still, radius_m, slowest)
        nearest_s[rows] = np.minimum(nearest_s[rows], meets_s)
    nearest_s[~snapshot.alive] = np.inf
    return nearest_s.astype(np.float32)
