"""Figures of the cluster's benchmarks as Markdown, with their targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from callsheet_bench.cluster.cases import Row
from callsheet_bench.cluster.failover import Failover
from callsheet_bench.cluster.simulation import Outcome

__all__ = ["failover_lines", "missed_failover", "missed_sim", "sim_line", "sim_lines"]

NOTICED_S = 1.0
DEVICE_HITS, TTFT_P99_S, ADAPTER_HITS = 0.859, 0.055, 0.95
"""Targets at 20 replicas and 100,000 NPCs."""


def sim_lines() -> Iterator[str]:
    """Head of the table."""
    yield (
        "| replicas | NPCs | case | policy | device hits | adapter hits | TTFT p50 | p99 | spread |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"


def sim_line(row: Row, outcome: Outcome) -> str:
    """One line of the table."""
    adapters = f"{outcome.adapter_hits:.3f}" if "adapters" in row.case else ""
    return (
        f"| {row.replicas} | {row.npcs:,} | {row.case} | {row.policy} | {outcome.device_hits:.3f} "
        f"| {adapters} | {outcome.ttft_p50_s * 1e3:.0f} ms | {outcome.ttft_p99_s * 1e3:.0f} ms "
        f"| {outcome.spread:.2f} |"
    )


def missed_sim(played: Sequence[tuple[Row, Outcome]]) -> list[str]:
    """Targets that were missed."""
    missed = []
    for row, outcome in played:
        if row.policy == "placed + distances" and row.case == "where calls go":
            if outcome.device_hits < DEVICE_HITS:
                missed.append(f"device hits {outcome.device_hits:.3f} of {row.replicas} replicas")
            if outcome.ttft_p99_s > TTFT_P99_S:
                missed.append(f"p99 {outcome.ttft_p99_s * 1e3:.0f} ms of {row.replicas} replicas")
        fits = 8 * row.replicas >= 160
        if row.policy == "placed by adapter" and fits and outcome.adapter_hits < ADAPTER_HITS:
            missed.append(f"adapter hits {outcome.adapter_hits:.3f} of {row.replicas} replicas")
    return missed


def failover_lines(found: Failover) -> Iterator[str]:
    """Cost of the kills."""
    noticed, rehomed = np.array(found.noticed_s), np.array(found.rehomed_s)
    yield "| kills of a replica (fake SGLang processes) | under load |"
    yield "|---|---|"
    yield f"| kills | {found.kills} |"
    yield f"| replies answered, each once | {found.answered} |"
    yield f"| replies that were streaming and broke off | {found.streaming_lost} |"
    yield f"| asks not streaming that failed | {found.unseen_lost} |"
    yield f"| other errors | {sum(found.other_errors.values())} |"
    yield f"| loss noticed, median and longest | {np.median(noticed):.2f}, {noticed.max():.2f} s |"
    yield f"| everybody re-homed, longest | {rehomed.max():.2f} s |"


def missed_failover(found: Failover) -> list[str]:
    """Targets that were missed."""
    missed = []
    if found.unseen_lost or found.other_errors:
        missed.append(f"somebody noticed: {found.unseen_lost} asks, {dict(found.other_errors)}")
    if found.answered_twice:
        missed.append(f"{found.answered_twice} replies were not answered once")
    if max(found.noticed_s) > NOTICED_S:
        missed.append(f"a loss was noticed after {max(found.noticed_s):.2f} s")
    return missed
