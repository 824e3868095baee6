"""Stalls of the event loop when somebody comes, goes or comes back in a large world.

The world, the forecast and the part of the engine `sglang` that keeps NPCs and distances are the
server's own; SGLang is not there. For each change: CPU of the change itself, and by how much the
estimate and the publishing that follow cost more than without a change. Medians.

    python loadtest/bench/spawn.py
    python loadtest/bench/spawn.py --npcs 100000 --repeats 30
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Callable

import numpy as np

from callsheet.wire.world import NpcSpec
from callsheet_residency.settings import PolicySettings
from callsheet_server.engine.mover import Mover
from callsheet_server.engine.sglang.engine import SglangEngine
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.rooms.pipeline import Pipeline
from callsheet_server.rooms.room import Room
from callsheet_server.world.world import WorldLimits

SIDE_M = 3_000.0
"""Side of the square that the NPCs are spread over."""


class Town:
    """A large world in front of the engine `sglang`."""

    def __init__(self, npcs: int) -> None:
        controller = ResidencyController((), PolicySettings())
        mover = Mover((), controller, lambda _: None)
        engine = SglangEngine(SglangSettings())
        self._pipeline = Pipeline(engine, (), controller, mover, time.monotonic, lambda *_: None)
        self._room = Room("town", WorldLimits(2 * npcs, npcs, 8), 100)
        self._spawned = 0
        self._draw = random.Random(0)
        self.spawn(npcs)

    def spawn(self, count: int) -> None:
        first, self._spawned = self._spawned, self._spawned + count
        specs = [
            NpcSpec(npc=f"n{first + i}", name="N", sociability=0.5, position=self._place())
            for i in range(count)
        ]
        self._room.world.spawn(specs, [])
        for spec in specs:
            self._pipeline.put_npc(self._room, spec)

    def _place(self) -> tuple[float, float, float]:
        return self._draw.uniform(0.0, SIDE_M), 0.0, self._draw.uniform(0.0, SIDE_M)

    def despawn(self) -> None:
        self._spawned -= 1
        name = f"n{self._spawned}"
        self._pipeline.forget(self._room, name)
        self._room.world.despawn([name], [])
        self._room.forget(name)

    def estimate(self) -> None:
        self._room.world.game_time_s += 0.05
        self._pipeline.replan(self._room)


def cpu_ms(work: Callable[[], None]) -> float:
    started_s = time.thread_time()
    work()
    return 1e3 * (time.thread_time() - started_s)


async def measure(npcs: int, repeats: int) -> None:
    town = Town(npcs)
    for _ in range(200):  # Until every estimator has had its turn with everybody.
        town.estimate()
    for name, change in (("spawn", lambda: town.spawn(1)), ("despawn", town.despawn)):
        changes_ms, after_ms, usual_ms = [], [], []
        for _ in range(repeats):
            usual_ms.append(cpu_ms(town.estimate))
            changes_ms.append(cpu_ms(change))
            after_ms.append(cpu_ms(town.estimate))
        change_ms, usual = statistics.median(changes_ms), statistics.median(usual_ms)
        more_ms = statistics.median(np.subtract(after_ms, usual_ms).tolist())
        print(
            f"{name:8} among {npcs:,}: {change_ms:.2f} ms, and {more_ms:+.2f} ms in the estimate "
            f"after it ({usual:.2f} ms without)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--npcs", type=int, default=100_000, help="(default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=30, help="(default: %(default)s)")
    args = parser.parse_args()
    asyncio.run(measure(args.npcs, args.repeats))


if __name__ == "__main__":
    main()
