"""Table of ScaleSim's paper (arXiv 2601.21473) beside what the emulation says."""

from __future__ import annotations

from collections.abc import Iterator

from callsheet_bench.emulated.cells import PAPER
from callsheet_bench.emulated.report import NAIVE, OURS, STOCK, over, rounds_of
from callsheet_bench.figures import spread
from callsheet_bench.store import Store

__all__ = ["table"]

THEIRS = {
    STOCK: ("1.00", "100 %", "120"),
    NAIVE: ("1.12", "78 %", "135"),
    OURS: ("1.74", "55 %", "95"),
}
"""Throughput over stock, peak GPU memory, ms per call; ours stands beside ScaleSim itself."""


def table(store: Store) -> str:
    """Return Markdown: theirs once, ours per number of agents."""
    agents = " | ".join(f"{cell.npcs} agents: over stock (TTFT p50)" for cell in PAPER)
    lines = [
        f"| system | paper: throughput, peak memory, latency | {agents} |",
        "|---" * (2 + len(PAPER)) + "|",
    ]
    for system, (throughput, memory, latency_ms) in THEIRS.items():
        cells = " | ".join(_cells(store, system))
        lines.append(f"| {system} | {throughput}, {memory}, {latency_ms} ms | {cells} |")
    memory = ", ".join(f"{cell.npcs}: {cell.pool_share:.0%}" for cell in PAPER)
    lines.append("")
    lines.append(
        f"Device pool, as a share of what everybody's KV cache takes, by agents: {memory}."
    )
    return "\n".join(lines)


def _cells(store: Store, system: str) -> Iterator[str]:
    for cell in PAPER:
        ratio = over(store, cell, system, STOCK)
        rounds = rounds_of(store, cell, system, "ttft_p50_ms")
        if ratio is None or not rounds:
            yield "-"
        else:
            yield f"{ratio.median:.2f} ({spread(list(rounds.values())).median:.0f} ms)"
