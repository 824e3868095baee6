"""The figures of docs/benchmarks.md as SVG files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callsheet_bench.figures import FIGURES, Spread
from callsheet_bench.plan import TABLES, scaling_tables
from callsheet_bench.report import PARTS, spreads
from callsheet_bench.store import Store
from callsheet_bench.systems import SYSTEMS

__all__ = ["draw"]

COLOURS = {
    "stock": "#8c8c8c",
    "naive": "#d9a441",
    "callsheet": "#2f7d5b",
    "resident": "#4a6fa5",
    "naive-link": "#d9a441",
    "callsheet-link": "#2f7d5b",
    "stock-large": "#bfbfbf",
}
STYLE: Any = {
    "svg.hashsalt": "callsheet",  # the same figures give the same file
    "svg.fonttype": "none",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(store: Store, folder: Path) -> list[Path]:
    """Draw what has been measured; return the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context(STYLE):
        for name, figure in _figures(store):
            path = folder / f"{name}.svg"
            figure.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
            written.append(path)
    return written


def _figures(store: Store) -> Iterator[tuple[str, Figure]]:
    for table in ("town", "link"):
        if store.figures(table):
            yield f"bench-{table}", _throughput(store, table)
            yield f"bench-{table}-breakdown", _breakdown(store, table)
    if any(store.figures(table) for table in scaling_tables().values()):
        yield "bench-scaling", _scaling(store)


def _throughput(store: Store, table: str) -> Figure:
    figure = Figure(figsize=(7.0, 3.0), layout="constrained")
    replies, latency = figure.subplots(1, 2)
    measured = spreads(store, table)
    for axes, name in ((replies, "replies_per_s"), (latency, "ttft_p95_ms")):
        values = [figures[name] for figures in measured.values()]
        axes.bar(
            list(measured),
            [value.median for value in values],
            yerr=_errors(values),
            color=[COLOURS[system] for system in measured],
            capsize=3,
        )
        axes.set_title(FIGURES[name])
        axes.tick_params("x", rotation=30)
    figure.suptitle(_title(table))
    return figure


def _breakdown(store: Store, table: str) -> Figure:
    figure = Figure(figsize=(7.0, 2.6), layout="constrained")
    axes = figure.subplots()
    measured = spreads(store, table)
    left = [0.0] * len(measured)
    for part, colour in zip(PARTS, ("#bbbbbb", "#c8553d", "#4a6fa5", "#9cc5a1"), strict=True):
        values = [figures[part].median for figures in measured.values()]
        axes.barh(list(measured), values, left=left, color=colour, label=FIGURES[part])
        left = [a + b for a, b in zip(left, values, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("ms of a request")
    axes.legend(ncols=len(PARTS), loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False)
    figure.suptitle(f"{_title(table)}: where the time goes")
    return figure


def _scaling(store: Store) -> Figure:
    figure = Figure(figsize=(7.0, 3.2), layout="constrained")
    replies, latency = figure.subplots(1, 2)
    measured = {npcs: spreads(store, table) for npcs, table in scaling_tables().items()}
    for system in SYSTEMS:
        sizes = [npcs for npcs, systems in measured.items() if system in systems]
        if not sizes:
            continue
        for axes, name in ((replies, "replies_per_s"), (latency, "ttft_p95_ms")):
            values = [measured[npcs][system][name] for npcs in sizes]
            axes.errorbar(
                sizes,
                [value.median for value in values],
                yerr=_errors(values),
                color=COLOURS[system],
                label=system,
                marker="o",
                capsize=3,
            )
    for axes, name in ((replies, "replies_per_s"), (latency, "ttft_p95_ms")):
        _scale_axis(axes, list(measured))
        axes.set_title(FIGURES[name])
    replies.legend(frameon=False)
    figure.suptitle("NPCs at a fixed device pool")
    return figure


def _scale_axis(axes: Axes, sizes: list[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_xlabel("NPCs")
    axes.set_ylim(bottom=0)


def _errors(values: list[Spread]) -> list[list[float]]:
    return [[v.median - v.low for v in values], [v.high - v.median for v in values]]


def _title(table: str) -> str:
    return TABLES[table]
