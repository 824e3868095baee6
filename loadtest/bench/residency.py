"""Hit rates of residency policies on one predictable town, through the planner alone.

    python loadtest/bench/residency.py [--json] [--npcs N] [--seconds S] [--seed K]

All policies replay the same trace with a device budget of a quarter of the NPCs' prefixes. The
optimum is the better of the two clairvoyants; see ``callsheet_server/trace/simulation.py``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from callsheet.town import TownSimulation
from callsheet_server.residency.policies import BELADY, CLAIRVOYANT, DISTANCE, POLICIES
from callsheet_server.trace import Budgets, Links, Report, simulate
from callsheet_server.trace.town import record_town

DEVICE_SHARE = 0.25


def run(npcs: int, seconds: float, seed: int) -> dict[str, Any]:
    trace = record_town(TownSimulation(npcs, players=2, seed=seed), seconds)
    total_bytes = sum(npc.size_bytes for npc in trace.npcs)
    budgets = Budgets(device_bytes=int(total_bytes * DEVICE_SHARE), host_bytes=total_bytes)
    reports: dict[str, Report] = {
        name: simulate(trace, policy, budgets, Links()) for name, policy in POLICIES.items()
    }
    optimum = max(reports[BELADY.name].hit_rate, reports[CLAIRVOYANT.name].hit_rate)
    return {
        "npcs": npcs,
        "seconds": seconds,
        "seed": seed,
        "prefix_bytes": total_bytes,
        "device_bytes": budgets.device_bytes,
        "policies": [
            asdict(report) | {"hit_rate": report.hit_rate, "moved_bytes": report.moved_bytes}
            for report in reports.values()
        ],
        "optimum_hit_rate": optimum,
        "points_below_optimum": 100.0 * (optimum - reports[DISTANCE.name].hit_rate),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--npcs", type=int, default=200, help="NPCs in the town (default 200)")
    parser.add_argument("--seconds", type=float, default=600.0, help="game time (default 600)")
    parser.add_argument("--seed", type=int, default=1, help="which town (default 1)")
    chosen = parser.parse_args()
    result = run(chosen.npcs, chosen.seconds, chosen.seed)
    if chosen.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{'policy':>12} {'hit rate':>9} {'calls':>6} {'moved GB':>9} {'rebuilds':>9} "
          f"{'prefetches':>11} {'wasted':>7}")  # fmt: skip
    for row in result["policies"]:
        print(
            f"{row['policy']:>12} {row['hit_rate']:>9.1%} {row['calls']:>6} "
            f"{row['moved_bytes'] / 1e9:>9.1f} {row['rebuilds']:>9} "
            f"{row['prefetches']:>11} {row['prefetches_wasted']:>7}"
        )
    print(f"ours is {result['points_below_optimum']:.1f} points below the optimum")


if __name__ == "__main__":
    main()
