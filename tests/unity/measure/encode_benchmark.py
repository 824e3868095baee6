"""Time to encode a tick in C# on Mono and in Python.

PYTHONPATH=sdk_python:tests python tests/unity/measure/encode_benchmark.py
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from unity.toolchain import HERE, Toolchain

from callsheet.wire import Tick, TickKind, encode_tick, npc_records, player_records

ROUNDS = 301


def python_us(npcs: int) -> float:
    """Median time to pack arrays of positions and velocities into a frame, in microseconds."""
    handles = np.arange(npcs, dtype=np.uint32)
    positions = np.zeros((npcs, 3), np.float32)
    velocities = np.ones((npcs, 3), np.float32)
    players = player_records([], np.zeros((0, 3), np.float32))
    times = []
    for number in range(ROUNDS):
        start = time.perf_counter()
        records = npc_records(handles, positions, velocities)
        encode_tick(Tick(TickKind.KEYFRAME, number, float(number), False, records, players))
        times.append((time.perf_counter() - start) * 1e6)
    return statistics.median(times)


def mono_us(toolchain: Toolchain, npcs: Sequence[int]) -> dict[int, float]:
    """Median time to write ticks of so many NPCs in C# on Mono, in microseconds."""
    source = HERE / "measure" / "EncodeBenchmark.cs"
    program = toolchain.compile("EncodeBenchmark.exe", [source], [toolchain.core()])
    lines = toolchain.run(program, *map(str, npcs)).splitlines()
    return {int(count): float(us) for count, us in (line.split() for line in lines)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        mono = mono_us(Toolchain(Path(folder)), (1000, 10000))
    sys.stdout.write(f"{'NPCs':>6} {'C# on Mono':>12} {'Python':>12}\n")
    for npcs, us in mono.items():
        sys.stdout.write(f"{npcs:>6} {us:>9.1f} us {python_us(npcs):>9.1f} us\n")


if __name__ == "__main__":
    main()
