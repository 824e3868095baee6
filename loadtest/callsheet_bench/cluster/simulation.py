"""Many replicas and a large cast, simulated: where NPCs live, and what is kept there.

Homes are given by the cluster's own ``Placement``, moves between tiers by the planner that the
SGLang plugin runs. Assumed are the costs below, and that a replica serves one request after the
other; so waiting comes out of the simulation, and batching, which shortens it, is left out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from callsheet_bench.cluster.workload import Crowd, draw_calls
from callsheet_residency.actions import Action
from callsheet_residency.items import Budget, Credit, Items
from callsheet_residency.planner import plan, plan_demand
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.cluster.hashing import scores
from callsheet_server.engine.cluster.placement import Placement

__all__ = ["Outcome", "Route", "simulate"]

HIT_S = 0.003
"""Service of a call whose prefix is on the device."""
LOAD_S = 0.0053
"""More, if it is in host memory."""
RECOMPUTE_S = 0.050
"""More, if it is nowhere."""
ADAPTER_S = 0.020
"""More, if its adapter is in no slot."""
DEVICE = 400
HOST = 1_600
"""NPCs' prefixes that a replica's device and host hold."""
SLOTS = 8
STEP_S = 0.5
"""Time between two plans."""
WARM_SHARE = 0.5
"""Part of a replica's idle time that goes into computing prefixes ahead."""

Route = Literal["round robin", "least loaded", "hash", "placed"]
Heard = Callable[[float, NDArray[np.float32]], NDArray[np.float32]]
"""Time, published distances -> those that the replicas know."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures of one run."""

    device_hits: float
    adapter_hits: float
    ttft_p50_s: float
    ttft_p99_s: float
    spread: float
    """Most busy replica's work, in means."""


class _Lru:
    """Keys of one place, the least recently used first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._keys: OrderedDict[int, None] = OrderedDict()

    def take(self, key: int) -> bool:
        return self._keys.pop(key, 0) is None

    def put(self, key: int) -> int | None:
        """Put a key in; return the one that had to go."""
        self._keys[key] = None
        return self._keys.popitem(last=False)[0] if len(self._keys) > self._room else None


class _LruReplica:
    """Keeps prefixes by age: device, then host."""

    def __init__(self) -> None:
        self._device, self._host = _Lru(DEVICE), _Lru(HOST)

    def find(self, npc: int) -> Tier:
        found = Tier.DEVICE if self._device.take(npc) else Tier.ABSENT
        if found is not Tier.DEVICE and self._host.take(npc):
            found = Tier.HOST
        if (out := self._device.put(npc)) is not None:
            self._host.put(out)
        return found


class _PlannedReplica:
    """Keeps prefixes by distance, as the planner says. Rows are NPCs at home here."""

    def __init__(self, npcs: NDArray[np.intp]) -> None:
        self._row = {npc: row for row, npc in enumerate(npcs.tolist())}
        self._npcs = npcs
        self._tier = np.full(len(npcs), Tier.ABSENT, np.int8)
        self._distance_s = np.full(len(npcs), np.inf, np.float32)

    def step(self, distance_s: NDArray[np.float32], idle_s: float) -> None:
        """Take distances in, and carry out a plan that costs no more than the idle time."""
        self._distance_s = distance_s[self._npcs]
        credit = Credit(int(STEP_S * 100), int(STEP_S * 100), 0, WARM_SHARE * idle_s)
        rows = np.flatnonzero(np.isfinite(self._distance_s) | (self._tier != Tier.ABSENT))
        self._apply(plan(self._items(rows), self._budget(credit), PolicySettings()).actions)

    def find(self, npc: int) -> Tier:
        row = self._row[npc]
        found = Tier(int(self._tier[row]))
        if found is not Tier.DEVICE:
            rows = np.flatnonzero(self._tier != Tier.ABSENT)
            rows = np.append(rows[rows != row], row)
            budget = self._budget(Credit(0, 0, 0, 0.0))
            self._apply(plan_demand(self._items(rows), len(rows) - 1, budget).actions)
        return found

    def _items(self, rows: NDArray[np.intp]) -> Items:
        return Items(
            kind=StateKind.PREFIX,
            keys=rows.tolist(),
            distance_s=self._distance_s[rows],
            size_bytes=np.ones(len(rows), np.int64),
            tier=self._tier[rows],
            pinned=np.zeros(len(rows), np.bool_),
            rebuild_s=np.full(len(rows), RECOMPUTE_S, np.float32),
            backed_up=np.zeros(len(rows), np.bool_),
        )

    def _budget(self, credit: Credit) -> Budget:
        used = (int((self._tier == Tier.DEVICE).sum()), int((self._tier == Tier.HOST).sum()), 0)
        return Budget((DEVICE, HOST, 0), used, credit)

    def _apply(self, actions: Iterable[Action]) -> None:
        for action in actions:
            assert isinstance(action.key, int)
            self._tier[action.key] = action.target


def simulate(
    crowd: Crowd,
    replicas: int,
    route: Route,
    *,
    by_distance: bool,
    seed: int,
    adapter_of: NDArray[np.intp] | None = None,
    homes: NDArray[np.int16] | None = None,
    heard: Heard = lambda _, distance_s: distance_s,
) -> Outcome:
    """Play one crowd.

    Args:
        crowd: who calls.
        replicas: how many there are.
        route: where a call goes; "hash" = rendezvous hashing alone, of the adapter if there are
            adapters; "placed" = ``Placement``.
        by_distance: prefixes are kept by distance and computed ahead; False = by age.
        seed: of the calls.
        adapter_of: (npcs,) intp; None = no adapters.
        homes: (npcs,) int16 given from outside, for worlds that have a replica of their own.
        heard: what the replicas know of the distances that servers publish.
    """
    calls = draw_calls(crowd, seed)
    if homes is None and route in ("hash", "placed"):
        homes = home_of_all(crowd.npcs, replicas, route, adapter_of)
    planned: list[_PlannedReplica] = []
    if by_distance:
        assert homes is not None, "distances are sent to a home"
        planned = [_PlannedReplica(np.flatnonzero(homes == r)) for r in range(replicas)]
    kept: Sequence[_PlannedReplica | _LruReplica]
    kept = planned or [_LruReplica() for _ in range(replicas)]
    slots = [_Lru(SLOTS) for _ in range(replicas)]
    free_s, busy_s = np.zeros(replicas), np.zeros(replicas)
    ttft_s, hits, adapter_hits = np.zeros(len(calls.npc)), 0, 0
    next_step_s, busy_before = 0.0, busy_s.copy()
    for number, (at_s, npc) in enumerate(zip(calls.at_s.tolist(), calls.npc.tolist(), strict=True)):
        while by_distance and at_s >= next_step_s:
            distance_s = heard(next_step_s, calls.distances(next_step_s, crowd.npcs))
            for one, worked_s in zip(planned, (busy_s - busy_before).tolist(), strict=True):
                one.step(distance_s, max(0.0, STEP_S - worked_s))
            busy_before = busy_s.copy()
            next_step_s += STEP_S
        if homes is not None:
            replica = int(homes[npc])
        else:
            replica = number % replicas if route == "round robin" else int(free_s.argmin())
        found = kept[replica].find(npc)
        took_s = HIT_S + {Tier.DEVICE: 0.0, Tier.HOST: LOAD_S}.get(found, RECOMPUTE_S)
        hits += found is Tier.DEVICE
        if adapter_of is not None:
            adapter = int(adapter_of[npc])
            there = slots[replica].take(adapter)
            slots[replica].put(adapter)
            adapter_hits += there
            took_s += 0.0 if there else ADAPTER_S
        free_s[replica] = max(free_s[replica], at_s) + took_s
        busy_s[replica] += took_s
        ttft_s[number] = free_s[replica] - at_s
    settled = calls.at_s > crowd.seconds / 4  # The beginning is cold for everybody.
    return Outcome(
        device_hits=hits / len(ttft_s),
        adapter_hits=adapter_hits / len(ttft_s),
        ttft_p50_s=float(np.percentile(ttft_s[settled], 50)),
        ttft_p99_s=float(np.percentile(ttft_s[settled], 99)),
        spread=float(busy_s.max() / busy_s.mean()),
    )


def home_of_all(
    npcs: int, replicas: int, route: Route, adapter_of: NDArray[np.intp] | None
) -> NDArray[np.int16]:
    """(npcs,) int16: everybody's home."""
    names = [f"replica {number}" for number in range(replicas)]
    placement = Placement(names, SLOTS)
    keys = np.arange(npcs, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    if route == "hash":
        wanted = keys if adapter_of is None else adapter_of.astype(np.uint64)
        hashes = scores(np.arange(1, replicas + 1, dtype=np.uint64), keys[:1])[:, 0]
        parts = np.array_split(wanted, max(1, npcs * replicas // 10_000_000))
        best = [scores(part, hashes).argmax(axis=1) for part in parts]
        return np.concatenate(best).astype(np.int16)
    if adapter_of is None:
        placement.add(np.arange(npcs), keys, None)
    else:
        counts = np.bincount(adapter_of)
        for adapter in np.argsort(-counts, kind="stable").tolist():
            rows = np.flatnonzero(adapter_of == adapter)
            if len(rows):
                placement.add(rows, keys[rows], f"adapter {adapter}")
        _settle(placement, npcs)
    placement.check_integrity()
    return placement.home[:npcs]


def _settle(placement: Placement, npcs: int) -> None:
    """Move until nobody is better off elsewhere, as a cluster does over time."""
    while True:
        rows, targets = placement.wanted_moves(np.arange(npcs), npcs)
        if not len(rows):
            return
        placement.move(rows, targets)
