"""Map of regimes as an SVG file: where the plugin pays, and how much there was to gain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from callsheet_bench.emulated.cells import Cell
from callsheet_bench.emulated.report import NAIVE, OURS, RESIDENT, over
from callsheet_bench.plots import COLOURS, STYLE
from callsheet_bench.store import Store

__all__ = ["draw"]


def draw(store: Store, cells: Sequence[Cell], folder: Path) -> Path | None:
    """Draw the cells that have been measured, most gained first; None if there are none."""
    gained = {cell.name: over(store, cell, OURS, NAIVE) for cell in cells}
    possible = {cell.name: over(store, cell, RESIDENT, NAIVE) for cell in cells}
    found = {name: gain.median for name, gain in gained.items() if gain is not None}
    names = sorted(found, key=found.__getitem__)
    if not names:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bench-regimes.svg"
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.0, 0.6 + 0.3 * len(names)), layout="constrained")
        axes = figure.subplots()
        axes.barh(names, [found[name] for name in names], color=COLOURS["callsheet"], height=0.6)
        bounds = {name: best.median for name in names if (best := possible[name]) is not None}
        axes.plot(list(bounds.values()), list(bounds), "|", color="black", markersize=14)
        axes.axvline(1.0, color=COLOURS["naive"])
        axes.set_xlabel("replies/s over naive swapping; | = everybody resident (emulated)")
        figure.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
    return path
