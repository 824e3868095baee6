"""Hit rate of the learned order against simpler rules, on workloads with stated rules.

    python loadtest/bench/prediction.py                 held-out workloads, about 5 minutes
    python loadtest/bench/prediction.py --tuned-on      those that Callsheet was tuned on
    python loadtest/bench/prediction.py --only chains poisson --json

Each workload (``callsheet_server/trace/generators``) is played with room for 10, 25 and 50 % of the
prefixes on the device:

  ours         the server's forecast and planner
  before       Callsheet 1.1: the smallest of five estimates, and its planner
  lru lfu arc  caches that fetch on demand
  kvflow       KVFlow's rule: the smallest hint of step and space, prefetched within 10 s
  belady       clairvoyant demand paging
  clairvoyant  the true next calls, prefetched within 10 s
  oracle       the generator's own rules and the past, without the dice to come; swaps are free
  learner      the same, but told of an NPC's rules only once it has called twice

Hits, bytes moved, prefetches evicted unused; what distances said against what was seen; the time
that forecast took a tick, planning included in neither.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from callsheet_bench.cache_rules import BEFORE, FREE, KVFLOW, Played, play, play_arc
from callsheet_bench.orders import follow, orders
from callsheet_residency.worth import TAU_S
from callsheet_server.residency.policies import DISTANCE
from callsheet_server.tools.simulation import Links, TierBudgets, simulate
from callsheet_server.trace.generators import HELD_OUT, TUNED_ON, Generated
from callsheet_server.trace.trace import Trace

SHARES = (0.1, 0.25, 0.5)
SAID_S = (0.5, 2.0, 5.0, 10.0, 20.0)
"""Bounds of the distances that calibration tells apart."""
CALIBRATED_EVERY = 8
"""Ticks between two looks at it."""

Cell = dict[str, Played]


@dataclass(frozen=True, slots=True)
class Result:
    """Result on one workload."""

    name: str
    cells: dict[float, Cell]
    said_s: list[float]
    seen_s: list[float]
    """Certainty equivalents by bin of ``SAID_S``; NaN = nothing there."""
    tick_ms: float
    """Median time of a forecast."""


def measure(name: str, made: Generated) -> Result:
    trace = made.trace
    said_s, seen_s, tick_ms = calibration(trace)
    order = orders(trace)
    size = sum(npc.size_bytes for npc in trace.npcs)
    cells: dict[float, Cell] = {}
    for share in SHARES:
        room = int(size * share)
        report = simulate(trace, DISTANCE, TierBudgets(room, size), Links())
        cell = cells[share] = {
            "ours": Played(
                report.calls,
                report.on_device,
                report.moved_bytes,
                report.prefetches,
                report.prefetches_wasted,
            ),
            "before": play(trace, room, order.before.__getitem__, BEFORE),
            "lru": play(trace, room, order.lru.__getitem__),
            "lfu": play(trace, room, order.lfu.__getitem__),
            "arc": play_arc(trace, room),
            "kvflow": play(trace, room, order.kvflow.__getitem__, KVFLOW),
            "belady": play(trace, room, order.belady.__getitem__),
            "clairvoyant": play(trace, room, order.belady.__getitem__, KVFLOW),
        }
        if made.chance is not None:
            sooner = -made.chance
            cell["oracle"] = play(trace, room, sooner.__getitem__, FREE)
            calls = np.floor(-order.lfu)
            usual = sooner.mean(axis=1, keepdims=True)
            learned = np.where(calls >= 2.0, sooner, usual)
            cell["learner"] = play(trace, room, learned.__getitem__, FREE)
    return Result(name, cells, said_s, seen_s, tick_ms)


def calibration(trace: Trace) -> tuple[list[float], list[float], float]:
    """Compare distances with what came, on the scale of worth; and time the forecast."""
    said: list[NDArray[np.float32]] = []
    seen: list[NDArray[np.float32]] = []
    times_ms = []
    for number, playback in enumerate(follow(trace)):
        started_s = time.perf_counter()
        distance_s = playback.estimate().distance_s
        times_ms.append((time.perf_counter() - started_s) * 1e3)
        if number % CALIBRATED_EVERY == 0 and number > len(trace.ticks) // 4:
            idle = playback.until_next_s() > 0.0
            said.append(np.exp(-distance_s[idle] / np.float32(TAU_S)))
            seen.append(np.exp(-playback.until_next_s()[idle] / np.float32(TAU_S)))
    of, came = np.concatenate(said), np.concatenate(seen)
    bins = np.searchsorted(-np.exp(-np.array(SAID_S) / TAU_S), -of)
    return (
        [_certain_s(of[bins == at]) for at in range(len(SAID_S) + 1)],
        [_certain_s(came[bins == at]) for at in range(len(SAID_S) + 1)],
        statistics.median(times_ms),
    )


def _certain_s(worth: NDArray[np.float32]) -> float:
    return float(-TAU_S * np.log(max(worth.mean(), 1e-9))) if len(worth) else float("nan")


def summary(results: list[Result]) -> dict[str, Any]:
    """Means over the cells, and the cells in which a simpler rule is better by over a point."""
    cells = [(r.name, share, cell) for r in results for share, cell in r.cells.items()]
    rules = [rule for rule in cells[0][2] if rule not in ("oracle", "learner")]
    simpler = ("before", "lru", "lfu", "kvflow")
    behind = {}
    for name, share, cell in cells:
        gap = cell["ours"].hit_rate - max(cell[rule].hit_rate for rule in simpler)
        if gap < -0.01:
            behind[f"{name} {share:.0%}"] = round(gap, 3)
    return {
        "hit_rate": {
            rule: statistics.mean(cell[rule].hit_rate for _, _, cell in cells) for rule in rules
        },
        "moved_gb": {
            rule: sum(cell[rule].moved_bytes for _, _, cell in cells) / 1e9 for rule in rules
        },
        "behind_a_simpler_rule": behind,
    }


def way(cell: Cell, rule: str) -> float:
    """Share of the way from the hit rate before to the oracle's that a rule goes."""
    before = cell["before"].hit_rate
    return (cell[rule].hit_rate - before) / (cell["oracle"].hit_rate - before)


def as_table(results: list[Result]) -> Table:
    rules = max((list(r.cells[SHARES[0]]) for r in results), key=len)
    table = Table(title="hit rate / GB moved (of ours and before also prefetches wasted)")
    for heading in ("workload", "room", *rules, "way to the oracle", "the learner's"):
        table.add_column(heading, justify="left" if heading == "workload" else "right")
    for result in results:
        for share, cell in result.cells.items():
            row = [result.name, f"{share:.0%}"]
            for rule in rules:
                played = cell.get(rule)
                if played is None:
                    row.append("")
                    continue
                text = f"{played.hit_rate:.3f}/{played.moved_bytes / 1e9:.0f}"
                if rule in ("ours", "before"):
                    text += f" {played.prefetches_wasted}/{played.prefetches}"
                row.append(text)
            ways = [way(cell, rule) for rule in ("ours", "learner")] if "oracle" in cell else []
            table.add_row(*row, *(f"{share:.0%}" for share in ways))
    return table


def calibration_table(results: list[Result]) -> Table:
    table = Table(title="distance said → seen, by what was said; median ms of a forecast")
    bounds = [f"≤ {bound:g} s" for bound in SAID_S] + ["farther"]
    for heading in ("workload", *bounds, "ms a tick"):
        table.add_column(heading, justify="right")
    for result in results:
        pairs = zip(result.said_s, result.seen_s, strict=True)
        told = ["" if np.isnan(said) else f"{said:.1f} → {seen:.1f}" for said, seen in pairs]
        table.add_row(result.name, *told, f"{result.tick_ms:.2f}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tuned-on", action="store_true", help="the workloads tuned on")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some workloads only")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    chosen = parser.parse_args()
    workloads = TUNED_ON if chosen.tuned_on else HELD_OUT
    names = chosen.only or list(workloads)
    results = []
    with Progress(console=Console(stderr=True), disable=chosen.json) as progress:
        task = progress.add_task("workloads", total=len(names))
        for name in names:
            progress.update(task, description=name)
            results.append(measure(name, workloads[name]()))
            progress.advance(task)
    if chosen.json:
        cells = {
            r.name: {
                f"{share:.0%}": {
                    rule: {
                        "hit_rate": played.hit_rate,
                        "moved_bytes": played.moved_bytes,
                        "prefetches": played.prefetches,
                        "prefetches_wasted": played.prefetches_wasted,
                    }
                    for rule, played in cell.items()
                }
                for share, cell in r.cells.items()
            }
            for r in results
        }
        print(json.dumps({"cells": cells} | summary(results), indent=2))
        return
    console = Console(width=max(Console().width, int(os.environ.get("COLUMNS", "190"))))
    console.print(as_table(results))
    console.print(calibration_table(results))
    for what, values in summary(results).items():
        told = "  ".join(f"{key} {value:.3f}" for key, value in values.items())
        console.print(f"{what}: {told or 'nowhere'}")


if __name__ == "__main__":
    main()
