"""What the SGLang plugin costs SGLang's scheduler, by number of NPCs.

    python loadtest/bench/sglang_table.py [--json] [--repeats N]

Medians of wall-clock time on one core, in microseconds, without SGLang's own part:

- ``update``: one message with a new distance for every NPC;
- ``decision``: one plan over all NPCs, a quarter on the device, one in a hundred due at once. The
  scheduler makes at most one per iteration;
- ``first_victim``: the first eviction after an update; ``victim``: each one after it;
- ``attribution``: finding out what a finished call's NPC needs, and measuring its row.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from callsheet_sglang.kv.deciding import Pools, Traffic, decide
from callsheet_sglang.kv.leaves import LeafOrder
from callsheet_sglang.kv.ownership import Ownership
from callsheet_sglang.npc_table import NpcTable
from callsheet_sglang.settings import PluginSettings
from callsheet_sglang.wire import Distances, decode_distances, encode_distances

SIZES = (1_000, 5_000, 10_000, 50_000)
PREFIX_TOKENS = 600
WORLD = range(200)
VICTIMS = 20


def node(node_id: int, parent: Any, tokens: int) -> Any:
    return SimpleNamespace(
        id=node_id,
        key=range(tokens),
        parent=parent,
        children={},
        evicted=False,
        backuped=True,
        last_access_time=float(node_id),
    )


class Crowd:
    """``count`` NPCs under one shared world prefix; a quarter of them is on the device."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.draw = np.random.default_rng(0)
        self.table = NpcTable()
        self.ownership = Ownership(self.table, lambda node: None)
        self.leaves = LeafOrder(self.table, self.ownership.owners)
        root = node(-1, None, 0)
        world = node(0, root, len(WORLD))
        self.personas = [node(1 + npc, world, PREFIX_TOKENS) for npc in range(count)]
        for npc, persona in enumerate(self.personas):
            persona.evicted = npc % 4 != 0
            self.ownership.attribute(npc, persona)
            if not persona.evicted:
                self.leaves.enter(persona)
        self.ownership.measure(count)
        self.seq = 0
        self.pools = Pools(
            device_tokens=PREFIX_TOKENS * (count // 4 + 1),
            free_tokens=PREFIX_TOKENS * (count // 4 + 1) // 40 + 2_000,
            host_tokens=2 * PREFIX_TOKENS * count,
            host_free_tokens=PREFIX_TOKENS * count,
            bytes_per_token=32_768,
            smallest_load_tokens=10,
        )

    def message(self) -> bytes:
        self.seq += 1
        distance_s = self.draw.uniform(10.0, 600.0, self.count).astype(np.float32)
        distance_s[self.draw.random(self.count) < 0.01] = 1.0
        handles = np.arange(self.count, dtype=np.uint32)
        return encode_distances(Distances(self.seq, float(self.seq), handles, distance_s))

    def decide(self) -> int:
        traffic = Traffic(range(8), range(8, 12), 2_000, 20_000)
        settings = PluginSettings()
        made = decide(self.table, self.pools, traffic, (), 10.0, settings)
        return len(made.actions)


def us(call: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    call()
    return 1e6 * (time.perf_counter() - began_s)


def measure(count: int, repeats: int) -> dict[str, float]:
    town = Crowd(count)
    times: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        times.setdefault(name, []).append(value)

    for repeat in range(repeats):
        body = town.message()
        note("update_us", us(lambda body=body: town.table.take(decode_distances(body))))  # type: ignore[misc]
        note("decision_us", us(town.decide))
        began_s = time.perf_counter()
        town.leaves.begin(set())
        town.leaves.take()
        note("first_victim_us", 1e6 * (time.perf_counter() - began_s))
        note("victim_us", us(lambda: [town.leaves.take() for _ in range(VICTIMS)]) / VICTIMS)
        town.leaves.end()
        npc = repeat % count

        def attribute(npc: int = npc) -> None:
            town.ownership.attribute(npc, town.personas[npc])
            town.ownership.measure(256)

        note("attribution_us", us(attribute))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {name: round(value, 1) for name, value in medians.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeats", type=int, default=50)
    arguments = parser.parse_args()
    found = {size: measure(size, arguments.repeats) for size in SIZES}
    if arguments.json:
        print(json.dumps(found))
        return
    names = list(found[SIZES[0]])
    print(f"{'NPCs':>8}" + "".join(f"{name:>18}" for name in names))
    for size, row in found.items():
        print(f"{size:>8,}" + "".join(f"{row[name]:>18.1f}" for name in names))


if __name__ == "__main__":
    main()
