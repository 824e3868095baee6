"""Residency policies on one predictable town, device budget a quarter of the NPCs' prefixes.

Two views of the same policies, each on one trace in one run:

  planner  the trace through estimators and planner alone, no model: hit rate, bytes moved
  served   the calls answered by the embedded engine: hit rate, TTFT, replies/s, bytes moved

  lru          drop the least recently used, compute on demand (no host tier)
  naive        park the least recently used in host memory, load on demand
  distance     ours: prefetch and evict by estimated invocation distance
  belady       clairvoyant demand paging
  clairvoyant  ours, fed the true times of the next calls

The optimum is the better of the two clairvoyants; see callsheet_server/trace/simulation.py.

    python loadtest/bench/residency.py                 both views, about 10 minutes
    python loadtest/bench/residency.py --no-served     the planner's alone, seconds
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import served
from rich.console import Console
from rich.table import Table

from callsheet_server.residency.policies import BELADY, CLAIRVOYANT, DISTANCE, POLICIES
from callsheet_server.tools.simulation import Links, SimulationReport, TierBudgets, simulate
from callsheet_server.tools.simulation.town_trace import record_town
from callsheet_server.tools.town.simulation import TownSimulation

DEVICE_SHARE = 0.25
PLAYERS = 2


def planner_view(npcs: int, seconds: float, seed: int) -> dict[str, Any]:
    trace = record_town(TownSimulation(npcs, players=PLAYERS, seed=seed), seconds)
    total_bytes = sum(npc.size_bytes for npc in trace.npcs)
    budgets = TierBudgets(device_bytes=int(total_bytes * DEVICE_SHARE), host_bytes=total_bytes)
    reports: dict[str, SimulationReport] = {
        name: simulate(trace, policy, budgets, Links()) for name, policy in POLICIES.items()
    }
    rows = [
        asdict(report) | {"hit_rate": report.hit_rate, "moved_bytes": report.moved_bytes}
        for report in reports.values()
    ]
    return {"npcs": npcs, "seconds": seconds, "seed": seed, "policies": rows} | against_optimum(
        {name: report.hit_rate for name, report in reports.items()}
    )


async def served_view(
    npcs: int, seconds: float, seed: int, speed: float, words: int, repetitions: int
) -> dict[str, Any]:
    town = TownSimulation(npcs, players=PLAYERS, seed=seed)
    trace = record_town(town, seconds)
    texts = served.personas(town.cast, words)
    total_bytes = await served.prefix_bytes(town.cast, texts)
    device_bytes = int(total_bytes * DEVICE_SHARE)
    runs: dict[str, list[served.Served]] = {name: [] for name in POLICIES}
    for repetition in range(repetitions):
        for name, policy in POLICIES.items():
            run = await served.serve(
                trace, town.cast, texts, policy, device_bytes, speed, seconds / 5
            )
            runs[name].append(run)
            print(f"round {repetition + 1} of {repetitions}: {run.summary()}", file=sys.stderr)
    rows = [served.median_summary(of_policy) for of_policy in runs.values()]
    return {
        "npcs": npcs,
        "seconds": seconds,
        "seed": seed,
        "speed": speed,
        "persona_words": words,
        "repetitions": repetitions,
        "prefix_bytes": total_bytes,
        "device_bytes": device_bytes,
        "policies": rows,
    } | against_optimum({str(row["policy"]): float(str(row["hit_rate"])) for row in rows})


def against_optimum(hit_rate: dict[str, float]) -> dict[str, float]:
    optimum = max(hit_rate[BELADY.name], hit_rate[CLAIRVOYANT.name])
    return {
        "optimum_hit_rate": optimum,
        "points_below_optimum": 100 * (optimum - hit_rate[DISTANCE.name]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--npcs", type=int, default=200, help="NPCs in the town")
    parser.add_argument("--seconds", type=float, default=600.0, help="game time, planner's view")
    parser.add_argument("--seed", type=int, default=1, help="which town")
    parser.add_argument("--no-served", action="store_true", help="leave the engine out")
    parser.add_argument("--served-npcs", type=int, default=60, help="NPCs for the engine")
    parser.add_argument("--served-seconds", type=float, default=60.0, help="game time, engine")
    parser.add_argument("--speed", type=float, default=0.6, help="game seconds per second, engine")
    parser.add_argument("--words", type=int, default=200, help="words per persona, engine")
    parser.add_argument("--repetitions", type=int, default=1, help="of each policy, engine")
    chosen = parser.parse_args()
    result = {"planner": planner_view(chosen.npcs, chosen.seconds, chosen.seed)}
    if not chosen.no_served:
        result["served"] = asyncio.run(
            served_view(
                chosen.served_npcs,
                chosen.served_seconds,
                chosen.seed,
                chosen.speed,
                chosen.words,
                chosen.repetitions,
            )
        )
    if chosen.json:
        print(json.dumps(result, indent=2))
        return
    show(
        "Planner alone",
        result["planner"],
        ("hit_rate", "calls", "moved_bytes", "rebuilds", "prefetches", "prefetches_wasted"),
    )
    if "served" in result:
        show(
            "Served by the embedded engine",
            result["served"],
            (
                "hit_rate",
                "calls",
                "ttft_p50_ms",
                "ttft_p95_ms",
                "replies_per_s",
                "cpu_s_per_reply",
                "moved_bytes",
                "rebuilds",
            ),
        )


def show(title: str, view: dict[str, Any], columns: Sequence[str]) -> None:
    table = Table(title=f"{title}: {view['npcs']} NPCs, {view['seconds']:g} s, seed {view['seed']}")
    table.add_column("policy")
    for column in columns:
        table.add_column(
            column.replace("moved_bytes", "moved GB").replace("_", " "), justify="right"
        )
    for row in view["policies"]:
        table.add_row(row["policy"], *(cell(column, row[column]) for column in columns))
    Console().print(table)
    print(f"ours is {view['points_below_optimum']:.1f} points below the optimum's hit rate\n")


def cell(column: str, value: float) -> str:
    if column == "hit_rate":
        return f"{value:.1%}"
    if column == "moved_bytes":
        return f"{value / 1e9:.1f}"
    return f"{value:.0f}" if column.endswith("_ms") or float(value).is_integer() else f"{value:.2f}"


if __name__ == "__main__":
    main()
