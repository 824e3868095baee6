"""Rules of what stays on the device, to compare ours with, played on a trace without the product.

All but ARC are an order (what is evicted first) and a horizon (what is brought before it is asked
for; 0 = nothing). ``BEFORE`` are Callsheet 1.1's rules, kept here so that a change can be measured
beside what it replaced: the smallest of five estimates, a horizon of 10 s, a margin of 1 s.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_server.trace.trace import Trace

__all__ = ["Planning", "Played", "play", "play_arc"]

LINK_BYTES_PER_S = 0.8 * 4e9
BURST_S = 0.25

F32 = NDArray[np.float32]


@dataclass(slots=True)
class Played:
    """Result of one rule on one trace with one budget."""

    calls: int = 0
    hits: int = 0
    moved_bytes: int = 0
    prefetches: int = 0
    prefetches_wasted: int = 0
    """Evicted again before any call."""

    @property
    def hit_rate(self) -> float:
        return self.hits / self.calls if self.calls else float("nan")


@dataclass(frozen=True, slots=True)
class Planning:
    """Margins of a rule that prefetches."""

    horizon_s: float = 0.0
    margin_s: float = 0.0
    headroom: float = 0.0


BEFORE = Planning(10.0, 1.0, 0.02)
KVFLOW = Planning(10.0)
FREE = Planning(float("inf"))
"""Swap whenever the order says so: for oracles."""


class _Device:
    """The rows on the device, those in use, and the credit of the link."""

    def __init__(self, trace: Trace, budget_bytes: int) -> None:
        self.played = Played()
        self.size = np.array([npc.size_bytes for npc in trace.npcs], np.int64)
        self.budget_bytes = budget_bytes
        self.used_bytes = 0
        self.on = np.zeros(len(trace.npcs), np.bool_)
        self.open = np.zeros(len(trace.npcs), np.int32)
        self.unused = np.zeros(len(trace.npcs), np.bool_)
        self.load_credit = self.evict_credit = LINK_BYTES_PER_S * BURST_S

    def refill(self, seconds: float) -> None:
        earned, most = seconds * LINK_BYTES_PER_S, LINK_BYTES_PER_S * BURST_S
        self.load_credit = min(self.load_credit + earned, most)
        self.evict_credit = min(self.evict_credit + earned, most)

    def load(self, row: int, prefetched: bool) -> None:
        size = int(self.size[row])
        self.on[row] = True
        self.used_bytes += size
        self.played.moved_bytes += size
        self.load_credit -= size
        self.played.prefetches += prefetched
        self.unused[row] = prefetched

    def evict(self, row: int) -> None:
        size = int(self.size[row])
        self.on[row] = False
        self.used_bytes -= size
        self.played.moved_bytes += size
        self.evict_credit -= size
        self.played.prefetches_wasted += bool(self.unused[row])
        self.unused[row] = False

    def farthest(self, distance_s: F32) -> list[int]:
        """Rows that may go, farthest first; in a tie the lower row."""
        rows = np.flatnonzero(self.on & (self.open == 0))
        ordered: list[int] = rows[np.argsort(-distance_s[rows], kind="stable")].tolist()
        return ordered

    def demand(self, row: int, distance_s: F32) -> None:
        """Bring a row for a caller who waits."""
        if self.on[row] or self.size[row] > self.budget_bytes:
            return
        need = self.used_bytes + int(self.size[row]) - self.budget_bytes
        if need > 0:
            for victim in self.farthest(distance_s):
                self.evict(victim)
                need -= int(self.size[victim])
                if need <= 0:
                    break
        if need <= 0:
            self.load(row, prefetched=False)

    def plan(self, distance_s: F32, planning: Planning) -> None:
        """Callsheet 1.1's plan, for one tier below the device with room for all."""
        limit = int(self.budget_bytes * (1.0 - planning.headroom))
        if self.used_bytes <= limit and not (~self.on & (distance_s < planning.horizon_s)).any():
            return
        victims = self.farthest(distance_s)
        while self.used_bytes > limit:
            if not victims or distance_s[victims[0]] <= planning.horizon_s:
                return
            self.evict(victims.pop(0))
        near = np.flatnonzero(~self.on & (distance_s < planning.horizon_s))
        for row in near[np.argsort(distance_s[near], kind="stable")].tolist():
            size = int(self.size[row])
            if size > limit:
                continue
            if size > self.load_credit:
                return
            chosen: list[int] = []
            free = limit - self.used_bytes
            for victim in victims:
                if free >= size or not distance_s[victim] > distance_s[row] + planning.margin_s:
                    break
                chosen.append(victim)
                free += int(self.size[victim])
            if free < size or int(self.size[chosen].sum()) > self.evict_credit:
                return
            for victim in chosen:
                self.evict(victim)
            victims = victims[len(chosen) :]
            self.load(row, prefetched=True)


def play(
    trace: Trace,
    budget_bytes: int,
    distance_s: Callable[[int], F32],
    planning: Planning = Planning(),
) -> Played:
    """Play a trace.

    Args:
        trace: what happened.
        budget_bytes: of the device.
        distance_s: number of a tick -> (N,) order after it: greater = evicted first.
        planning: what is brought before it is asked for.
    """
    device = _Device(trace, budget_bytes)
    ends: list[tuple[float, int]] = []
    calls, at = trace.calls, 0
    order = np.full(len(trace.npcs), np.inf, np.float32)
    before_s = 0.0
    for number, tick in enumerate(trace.ticks):
        while at < len(calls) and calls[at].time_s <= tick.time_s:
            call, at = calls[at], at + 1
            device.played.calls += 1
            device.played.hits += bool(device.on[call.row])
            device.unused[call.row] = False
            device.demand(call.row, order)
            device.open[call.row] += 1
            heapq.heappush(ends, (call.time_s + call.duration_s, call.row))
        while ends and ends[0][0] <= tick.time_s:
            device.open[heapq.heappop(ends)[1]] -= 1
        order = distance_s(number)
        if planning.horizon_s > 0.0:
            device.refill(tick.time_s - before_s)
            device.plan(order, planning)
        before_s = tick.time_s
    return device.played


def play_arc(trace: Trace, budget_bytes: int) -> Played:
    """Play a trace by ARC (Megiddo and Modha, FAST 2003), counted in prefixes of the mean size."""
    mean = sum(npc.size_bytes for npc in trace.npcs) / len(trace.npcs)
    room = max(int(budget_bytes / mean), 1)
    once, often, gone_once, gone_often = (OrderedDict[int, None]() for _ in range(4))
    target, played = 0.0, Played()

    def evict(from_often: bool) -> None:
        if once and (len(once) > target or (from_often and len(once) == target)):
            gone_once[once.popitem(last=False)[0]] = None
        elif often:
            gone_often[often.popitem(last=False)[0]] = None
        played.moved_bytes += int(mean)

    for call in trace.calls:
        row = call.row
        played.calls += 1
        if row in once or row in often:
            played.hits += 1
            once.pop(row, None)
            often.pop(row, None)
            often[row] = None
            continue
        played.moved_bytes += int(mean)
        if row in gone_once or row in gone_often:
            mine, other = (gone_once, gone_often) if row in gone_once else (gone_often, gone_once)
            step = max(len(other) / max(len(mine), 1), 1.0)
            target = min(target + step, room) if mine is gone_once else max(target - step, 0.0)
            if len(once) + len(often) >= room:
                evict(from_often=mine is gone_often)
            del mine[row]
            often[row] = None
            continue
        if len(once) + len(gone_once) >= room:
            if len(once) < room:
                gone_once.popitem(last=False)
                if len(once) + len(often) >= room:
                    evict(from_often=False)
            else:
                once.popitem(last=False)
                played.moved_bytes += int(mean)
        elif len(once) + len(often) + len(gone_once) + len(gone_often) >= room:
            if len(once) + len(often) + len(gone_once) + len(gone_often) >= 2 * room:
                gone_often.popitem(last=False)
            if len(once) + len(often) >= room:
                evict(from_often=False)
        once[row] = None
    return played
