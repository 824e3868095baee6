"""Cells side by side, as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from callsheet_bench.emulated.cells import Cell
from callsheet_bench.emulated.systems import SYSTEMS
from callsheet_bench.figures import Spread, gap_shares, ratios, spread
from callsheet_bench.store import Store

__all__ = ["LABEL", "as_json", "gap_share", "markdown"]

LABEL = (
    "Emulated: SGLang's own scheduler, caches and HTTP at a GPU's speed by data sheets; not "
    "measured on a GPU."
)
OURS, NAIVE, STOCK, RESIDENT = "callsheet", "naive", "stock", "resident"


def rates(store: Store, cell: Cell, system: str) -> dict[int, float]:
    """Return replies a second by round."""
    rounds = store.figures(cell.name).get(system, {})
    return {number: figures["replies_per_s"] for number, figures in rounds.items()}


def gap_share(store: Store, cell: Cell) -> Spread | None:
    """Return (ours - naive) / (resident - naive) per round; None = no gap, or not measured."""
    found = gap_shares(*(rates(store, cell, name) for name in (OURS, NAIVE, RESIDENT)))
    return spread(found) if found else None


def as_json(store: Store, cells: Sequence[Cell]) -> dict[str, Any]:
    """All figures, ratios and shares of the gap."""
    found = {}
    for cell in cells:
        measured = store.figures(cell.name)
        share = gap_share(store, cell)
        found[cell.name] = {
            "systems": {
                name: {figure: asdict(value) for figure, value in _spreads(rounds).items()}
                for name, rounds in measured.items()
            },
            "replies_per_s_over": {
                name: asdict(ratio)
                for name in SYSTEMS
                if name != OURS and (ratio := _over(store, cell, name)) is not None
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
    ]
    lines = [LABEL, "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for cell in cells:
        measured = {name: _spreads(rounds) for name, rounds in store.figures(cell.name).items()}
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
        yield _ratio(_over(store, cell, name))
    share = gap_share(store, cell)
    yield f"{share.median:.0%}" if share is not None else "no gap"
    ours = measured.get(OURS, {})
    yield f"{ours['at_arrival_share'].median:.0%}" if "at_arrival_share" in ours else ""


def _over(store: Store, cell: Cell, system: str) -> Spread | None:
    found = ratios(rates(store, cell, OURS), rates(store, cell, system))
    return spread(found) if found else None


def _ratio(value: Spread | None) -> str:
    if value is None:
        return ""
    return f"{value.median:.2f} ({value.low:.2f} to {value.high:.2f})"


def _spreads(rounds: Mapping[int, Mapping[str, float]]) -> dict[str, Spread]:
    names = set.intersection(*(set(figures) for figures in rounds.values()))
    return {name: spread([figures[name] for figures in rounds.values()]) for name in sorted(names)}
