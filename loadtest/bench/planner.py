"""Cost of a plan and of estimating distances, by number of NPCs.

    python loadtest/bench/planner.py [--json] [--repeats N]

Medians of wall-clock time on one core. ``growth`` is the exponent b of cost ~ N^b between two
sizes: 1 = linear. Of a forecast also the worst tick, and both by the thread's own CPU time, which
other processes do not lengthen; the first tick, on which everybody is met, is told apart.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from callsheet_residency.items import Budget, Credit, Items
from callsheet_residency.planner import plan
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, Tier
from callsheet_server.distance import Assumptions, Forecast
from callsheet_server.world.snapshot import Snapshot

SIZES = (1_000, 10_000, 100_000)
DISTANCE_SIZES = (1_000, 10_000, 100_000)
CALLS_PER_TICK = 2
CALL_TICKS = 40
PLAYERS = 8
TICK_S = 0.05
MIB = 2**20


def town_items(count: int, seed: int = 0) -> Items:
    """A quarter on the device, the rest parked; one in a hundred is needed within 10 s."""
    draw = np.random.default_rng(seed)
    distance_s = draw.uniform(10.0, 600.0, count).astype(np.float32)
    distance_s[draw.random(count) < 0.01] = 5.0
    distance_s[draw.random(count) < 0.30] = np.inf
    tier = np.full(count, Tier.HOST, np.int8)
    tier[draw.permutation(count)[: count // 4]] = Tier.DEVICE
    return Items(
        kind=StateKind.PREFIX,
        keys=range(count),
        distance_s=distance_s,
        size_bytes=draw.integers(10 * MIB, 20 * MIB, count),
        tier=tier,
        pinned=draw.random(count) < 0.01,
        rebuild_s=draw.uniform(0.1, 0.5, count).astype(np.float32),
        backed_up=np.zeros(count, np.bool_),
    )


def full_budget(items: Items) -> Budget:
    """A full device, a roomy host, and the credit of a tenth of a second at 8 GB/s."""
    on_device = int(items.size_bytes[items.tier == Tier.DEVICE].sum())
    on_host = int(items.size_bytes[items.tier == Tier.HOST].sum())
    credit = Credit(800 * MIB, 800 * MIB, 0, 0.0)
    return Budget((on_device, 2 * on_host, 0), (on_device, on_host, 0), credit)


def town_snapshot(count: int, seed: int = 0) -> Snapshot:
    """NPCs ten metres apart on average, all walking, half with a schedule and a history."""
    draw = np.random.default_rng(seed)
    side_m = 10.0 * count**0.5

    def spots(rows: int) -> np.typing.NDArray[np.float32]:
        across = draw.random((rows, 3)) * [side_m, 0.0, side_m]
        return np.asarray(across, np.float32)

    def half(values: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.float64]:
        return np.where(draw.random(count) < 0.5, values, np.nan)

    return Snapshot(
        game_time_s=1000.0,
        alive=np.ones(count, np.bool_),
        handle=np.arange(count, dtype=np.uint32),
        position_m=spots(count),
        velocity_mps=draw.normal(size=(count, 3)).astype(np.float32),
        interaction_radius_m=np.full(count, 3.0, np.float32),
        sociability=draw.random(count).astype(np.float32),
        scheduled_call_s=half(draw.uniform(1000.0, 1600.0, count)),
        in_conversation=draw.random(count) < 0.01,
        last_call_s=half(draw.uniform(700.0, 1000.0, count)),
        player_position_m=spots(PLAYERS),
        player_velocity_mps=draw.normal(size=(PLAYERS, 3)).astype(np.float32),
        player_max_speed_mps=6.0,
        npc_max_speed_mps=2.0,
    )


def median_ms(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def measure_plan(count: int, repeats: int) -> dict[str, float]:
    items, policy = town_items(count), PolicySettings(device_headroom=0.0)
    budget = full_budget(items)
    made = plan(items, budget, policy)
    dense_ms = median_ms(lambda: plan(items, budget, policy), repeats)
    return {
        "npcs": count,
        "actions": len(made.actions),
        "dense_plan_ms": dense_ms,
    }


def measure_distance(count: int, ticks: int) -> dict[str, float]:
    """Time a forecast tick by tick, while NPCs call at random and it learns from that."""
    snapshot, forecast = town_snapshot(count), Forecast(Assumptions())
    draw, talking = np.random.default_rng(1), snapshot.in_conversation.copy()
    last_call_s = snapshot.last_call_s.copy()
    wall_ms, cpu_ms = [], []
    callers: deque[np.typing.NDArray[np.int64]] = deque()
    for tick in range(ticks + 1):
        now_s = 1000.0 + tick * TICK_S
        callers.append(draw.integers(count, size=CALLS_PER_TICK))
        talking[callers[-1]] = True
        if len(callers) > CALL_TICKS:
            over = callers.popleft()
            talking[over], last_call_s[over] = False, now_s
        snapshot = replace(
            snapshot,
            game_time_s=now_s,
            in_conversation=talking.copy(),
            last_call_s=last_call_s.copy(),
        )
        start, start_cpu = time.perf_counter(), time.thread_time()
        forecast.estimate(snapshot)
        cpu_ms.append((time.thread_time() - start_cpu) * 1e3)
        wall_ms.append((time.perf_counter() - start) * 1e3)
    return {
        "npcs": count,
        "players": PLAYERS,
        "first_ms": wall_ms[0],
        "first_cpu_ms": cpu_ms[0],
        "median_cpu_ms": statistics.median(cpu_ms[1:]),
        "median_ms": statistics.median(wall_ms[1:]),
        "worst_ms": max(wall_ms[1:]),
        "worst_cpu_ms": max(cpu_ms[1:]),
    }


def growth(results: list[dict[str, float]], key: str) -> float:
    """Exponent of the power law through the first and the last size."""
    first, last = results[0], results[-1]
    return math.log(last[key] / first[key]) / math.log(last["npcs"] / first["npcs"])


def table(rows: list[dict[str, float]]) -> str:
    lines = ["  ".join(f"{name:>18}" for name in rows[0])]
    lines += ["  ".join(f"{value:>18,.6g}" for value in row.values()) for row in rows]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--repeats", type=int, default=30, help="runs per figure (default 30)")
    chosen = parser.parse_args()
    plans = [measure_plan(count, chosen.repeats) for count in SIZES]
    distances = [measure_distance(count, 10 * chosen.repeats) for count in DISTANCE_SIZES]
    result = {
        "plan": plans,
        "dense_plan_growth": growth(plans, "dense_plan_ms"),
        "dense_plan_growth_10k_100k": growth(plans[1:], "dense_plan_ms"),
        "distance_per_tick": distances,
        "tick_s": TICK_S,
    }
    if chosen.json:
        print(json.dumps(result, indent=2))
        return
    print("one plan\n" + table(plans))
    print(
        f"cost grows as N^{result['dense_plan_growth']:.2f} (dense plan; from 10k to 100k "
        f"N^{result['dense_plan_growth_10k_100k']:.2f})"
    )
    print(f"\nthe forecast, one tick of {TICK_S} s\n" + table(distances))


if __name__ == "__main__":
    main()
