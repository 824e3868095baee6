"""Cells side by side, as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from callsheet_bench.emulated.cells import Cell
from callsheet_bench.emulated.systems import SYSTEMS
from callsheet_bench.figures import Spread, gap_shares, ratios, spread
from callsheet_bench.store import Store

__all__ = [
    "LABEL",
    "NAIVE",
    "OURS",
    "RESIDENT",
    "STOCK",
    "as_json",
    "gap_share",
    "markdown",
    "over",
    "rounds_of",
]

LABEL = (
    "Emulated: SGLang's own scheduler, caches and HTTP at a GPU's speed by data sheets; not "
    "measured on a GPU."
)
RATE = "replies_per_s"
OURS, NAIVE, STOCK, RESIDENT = "callsheet", "naive", "stock", "resident"


def rounds_of(store: Store, cell: Cell, system: str, figure: str) -> dict[int, float]:
    """Return one figure by round."""
    rounds = _measured(store, cell).get(system, {})
    return {number: figures[figure] for number, figures in rounds.items()}


def _measured(store: Store, cell: Cell) -> dict[str, Mapping[int, Mapping[str, float]]]:
    """Figures by round, of each system that was measured."""
    rounds = {
        name: store.figures(system.sees(cell).name).get(name) for name, system in SYSTEMS.items()
    }
    return {name: figures for name, figures in rounds.items() if figures}


def gap_share(store: Store, cell: Cell) -> Spread | None:
    """Return (ours - naive) / (resident - naive) per round; None = no gap, or not measured."""
    found = gap_shares(*(rounds_of(store, cell, name, RATE) for name in (OURS, NAIVE, RESIDENT)))
    return spread(found) if found else None


def over(store: Store, cell: Cell, system: str, other: str) -> Spread | None:
    """Return one system's replies a second over another's, round by round; None = not measured."""
    found = ratios(*(rounds_of(store, cell, name, RATE) for name in (system, other)))
    return spread(found) if found else None


def as_json(store: Store, cells: Sequence[Cell]) -> dict[str, Any]:
    """All figures, ratios and shares of the gap."""
    found = {}
    for cell in cells:
        measured = _measured(store, cell)
        share = gap_share(store, cell)
        found[cell.name] = {
            "systems": {
                name: {figure: asdict(value) for figure, value in _spreads(rounds).items()}
                for name, rounds in measured.items()
            },
            "replies_per_s_over": {
                name: asdict(ratio)
                for name in SYSTEMS
                if name != OURS and (ratio := over(store, cell, OURS, name)) is not None
            },
            "share_of_gap": asdict(share) if share is not None else None,
        }
    return {"label": LABEL, "cells": found}


def markdown(store: Store, cells: Sequence[Cell]) -> str:
    """One table of cells, as it stands in docs/benchmarks.md."""
    head = [
        "cell",
        *(f"{name}: replies/s (TTFT p50 / p95 ms)" for name in SYSTEMS),
        "over stock",
        "over naive",
        "share of the gap",
        "on the device at arrival",
        "passes waited for loads: naive, callsheet",
    ]
    lines = [LABEL, "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for cell in cells:
        measured = {name: _spreads(rounds) for name, rounds in _measured(store, cell).items()}
        if measured:
            lines.append("| " + " | ".join(_row(store, cell, measured)) + " |")
    return "\n".join(lines)


def _row(store: Store, cell: Cell, measured: Mapping[str, Mapping[str, Spread]]) -> Iterator[str]:
    yield cell.name
    for name in SYSTEMS:
        figures = measured.get(name)
        yield (
            f"{figures['replies_per_s'].median:.1f} ({figures['ttft_p50_ms'].median:.0f} / "
            f"{figures['ttft_p95_ms'].median:.0f})"
            if figures
            else ""
        )
    for name in (STOCK, NAIVE):
        yield _ratio(over(store, cell, OURS, name))
    share = gap_share(store, cell)
    yield f"{share.median:.0%}" if share is not None else "no gap"
    ours = measured.get(OURS, {})
    yield f"{ours['at_arrival_share'].median:.0%}" if "at_arrival_share" in ours else ""
    waits = (measured.get(name, {}).get("load_wait_share") for name in (NAIVE, OURS))
    yield ", ".join(f"{wait.median:.0%}" if wait is not None else "-" for wait in waits)


def _ratio(value: Spread | None) -> str:
    if value is None:
        return ""
    if value.low == value.high:
        return f"{value.median:.2f}"
    return f"{value.median:.2f} ({value.low:.2f} to {value.high:.2f})"


def _spreads(rounds: Mapping[int, Mapping[str, float]]) -> dict[str, Spread]:
    names = set.intersection(*(set(figures) for figures in rounds.values()))
    return {name: spread([figures[name] for figures in rounds.values()]) for name in sorted(names)}
