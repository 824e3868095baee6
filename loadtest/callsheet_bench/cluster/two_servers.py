"""Two servers with a town each on one pool of replicas, against one server with both towns.

Homes are given by each server's own ``Placement``; distances go through the plugin's wire format
into its table of several senders, and from there to the planner.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from callsheet_bench.cluster.simulation import SLOTS, simulate
from callsheet_bench.cluster.workload import Crowd
from callsheet_server.engine.cluster.placement import Placement
from callsheet_sglang.npc_table import NpcTable
from callsheet_sglang.wire import Distances, decode_distances, encode_distances

__all__ = ["Servers", "hit_rates", "lines", "missed"]

REPLICAS: Final = 8
TOWN: Final = 20_000
"""NPCs of a town."""
CALLS_PER_S: Final = 24.0
"""Of one replica."""
SECONDS: Final = 60.0
ALLOWED: Final = 0.02
"""Most that the pool may lose by having two servers."""

Servers = Literal["one server, both towns", "two servers", "two servers, taken for one"]


class _Plugin:
    """Distances of its NPCs that one replica's plugin knows."""

    def __init__(self, sender_of: NDArray[np.intp], handles: NDArray[np.intp]) -> None:
        self._table = NpcTable()
        self._sender_of, self._handles = sender_of, handles
        self._sent: dict[int, NDArray[np.float32]] = {}
        self._seq = 0

    def hear(
        self, now_s: float, distance_s: NDArray[np.float32], town_of: NDArray[np.intp]
    ) -> None:
        """Take what each town's server sends: all of it at first, then what has changed."""
        for town in np.unique(town_of).tolist():
            mine = np.flatnonzero(town_of == town)
            before = self._sent.get(town)
            told = mine if before is None else mine[before != distance_s[mine]]
            self._sent[town] = distance_s[mine]
            self._seq += 1
            update = Distances(
                self._seq,
                now_s,
                self._handles[told].astype(np.uint32),
                distance_s[told],
                before is None,
                int(self._sender_of[mine[0]]) if len(mine) else 0,
            )
            self._table.take(decode_distances(encode_distances(update)))

    def distances(self) -> NDArray[np.float32]:
        """(N,) float32, by NPC."""
        known = self._table.distance_s()
        found = np.full(len(self._handles), np.inf, np.float32)
        for sender in np.unique(self._sender_of).tolist():
            mine = np.flatnonzero(self._sender_of == sender)
            rows = self._table.senders.rows(sender, self._handles[mine])
            there = rows < len(known)
            found[mine[there]] = known[rows[there]]
        return found


@dataclass(frozen=True, slots=True)
class _World:
    """Two towns: who belongs to which, and by what number its server knows it."""

    homes: NDArray[np.int16]
    town_of: NDArray[np.intp]
    sender_of: NDArray[np.intp]
    handles: NDArray[np.intp]


def _world(servers: Servers) -> _World:
    npcs = 2 * TOWN
    town_of = np.arange(npcs) // TOWN
    keys = np.arange(npcs, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    names = [f"replica {number}" for number in range(REPLICAS)]
    if servers == "one server, both towns":
        parts, sender_of, handles = [np.arange(npcs)], np.ones(npcs, np.intp), np.arange(npcs)
        town_of = np.zeros(npcs, np.intp)
    else:
        parts = [np.flatnonzero(town_of == town) for town in (0, 1)]
        sender_of = town_of + 1 if servers == "two servers" else np.zeros(npcs, np.intp)
        handles = np.arange(npcs) % TOWN
    homes = np.zeros(npcs, np.int16)
    for part in parts:
        homes[part] = Placement(names, SLOTS).add(np.arange(len(part)), keys[part], None)
    return _World(homes, town_of, sender_of, handles)


def hit_rates(seeds: int) -> Iterator[tuple[Servers, list[float]]]:
    """Device hits of each seed, by how the towns are served."""
    crowd = Crowd(2 * TOWN, CALLS_PER_S * REPLICAS, SECONDS, 0.8, np.full(2 * TOWN, 0.5 / TOWN))
    ways: tuple[Servers, ...] = (
        "one server, both towns",
        "two servers",
        "two servers, taken for one",
    )
    for servers in ways:
        yield servers, [_play(_world(servers), crowd, seed) for seed in range(1, seeds + 1)]


def _play(world: _World, crowd: Crowd, seed: int) -> float:
    residents = [np.flatnonzero(world.homes == replica) for replica in range(REPLICAS)]
    plugins = [_Plugin(world.sender_of[npcs], world.handles[npcs]) for npcs in residents]

    def heard(now_s: float, distance_s: NDArray[np.float32]) -> NDArray[np.float32]:
        known = np.full(len(distance_s), np.inf, np.float32)
        for npcs, plugin in zip(residents, plugins, strict=True):
            plugin.hear(now_s, distance_s[npcs], world.town_of[npcs])
            known[npcs] = plugin.distances()
        return known

    outcome = simulate(
        crowd, REPLICAS, "placed", by_distance=True, seed=seed, homes=world.homes, heard=heard
    )
    return outcome.device_hits


def lines(found: dict[Servers, list[float]]) -> Iterator[str]:
    """The table."""
    seeds = ", ".join(str(seed) for seed in range(1, len(next(iter(found.values()))) + 1))
    yield f"| {REPLICAS} replicas, two towns of {TOWN:,} NPCs | device hits, seeds {seeds} |"
    yield "|---|---|"
    for servers, hits in found.items():
        yield f"| {servers} | {', '.join(f'{share:.3f}' for share in hits)} |"


def missed(found: dict[Servers, list[float]]) -> list[str]:
    """Targets that were missed."""
    pairs = zip(found["one server, both towns"], found["two servers"], strict=True)
    loss = max(one - two for one, two in pairs)
    return [f"two servers lose {100 * loss:.1f} points of device hits"] if loss > ALLOWED else []
