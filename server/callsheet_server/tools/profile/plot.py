"""Small line charts as SVG text, coloured by the page's CSS: ``--s1``, ``--s2``, ... per series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

__all__ = ["Series", "line_chart", "range_chart"]

WIDTH: Final = 640
HEIGHT: Final = 260
LEFT, RIGHT, TOP, BOTTOM = 64, 28, 14, 44
ROW_HEIGHT: Final = 30


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    dots: bool = False
    """Mark the points: the line between them is only a guess."""


def line_chart(
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    y_range: tuple[float, float] | None = None,
    percent: bool = False,
    marked_y: tuple[float, str] | None = None,
    percent_x: bool = False,
) -> str:
    """Draw lines.

    Args:
        series: at most four.
        x_label: what x is, with its unit.
        y_label: the same for y.
        y_range: of the axis; None = from 0 to the greatest value.
        percent: y is a share, shown in percent.
        marked_y: a value to draw a line at, and its name.
        percent_x: x is a share too.
    """
    xs = [x for one in series for x in one.x] or [0.0, 1.0]
    ys = [y for one in series for y in one.y] or [0.0, 1.0]
    low, high = y_range or (0.0, max(max(ys), 1e-9))
    x_ticks, y_ticks = _ticks(min(xs), max(xs)), _ticks(low, high)
    if y_range is None:
        high = max(high, y_ticks[-1])
    left, right = min(xs), max(max(xs), min(xs) + 1e-9)

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (x - left) / (right - left) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM),
        )

    parts = []
    for tick in y_ticks:
        _, y = at(left, tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
                     f'y2="{y:.1f}"/>')  # fmt: skip
        parts.append(_text(LEFT - 8, y + 4, _number(tick, percent), "end"))
    for tick in x_ticks:
        x, _ = at(tick, low)
        parts.append(_text(x, HEIGHT - BOTTOM + 18, _number(tick, percent_x), "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_label, "middle"))
    if marked_y is not None:
        _, y = at(left, marked_y[0])
        parts.append(f'<line class="mark" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
                     f'y2="{y:.1f}"/>')  # fmt: skip
        parts.append(_text(WIDTH - RIGHT, y + 15, marked_y[1], "end"))
    for number, one in enumerate(series, start=1):
        points = [at(x, y) for x, y in zip(one.x, one.y, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="line" style="stroke:var(--s{number})" points="{path}"/>')
        if one.dots:
            parts += [
                f'<circle r="3" cx="{x:.1f}" cy="{y:.1f}" style="fill:var(--s{number})"/>'
                for x, y in points
            ]
    return _figure("".join(parts), HEIGHT, y_label, [one.name for one in series])


def range_chart(rows: Sequence[tuple[str, float, float, float]], x_label: str, title: str) -> str:
    """Draw a bar from the lower to the upper value of each row, and a stroke at the middle one.

    Args:
        rows: (name, lower, middle, upper).
        x_label: what the values are, with their unit.
        title: of the chart.
    """
    height = TOP + BOTTOM + ROW_HEIGHT * len(rows)
    ticks = _ticks(min(0.0, *(r[1] for r in rows)), max(0.0, *(r[3] for r in rows)))
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    if min(row[1] for row in rows) < ticks[0]:
        ticks.insert(0, ticks[0] - step)
    if max(row[3] for row in rows) > ticks[-1]:
        ticks.append(ticks[-1] + step)
    low, high = ticks[0], ticks[-1]
    left = 150

    def at(value: float) -> float:
        return left + (value - low) / max(high - low, 1e-9) * (WIDTH - left - RIGHT)

    bottom = height - BOTTOM
    parts = []
    for tick in ticks:
        kind = "axis" if tick == 0.0 else "grid"
        x = at(tick)
        parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(_text(x, bottom + 18, _number(tick, False), "middle"))
    parts.append(_text((left + WIDTH - RIGHT) / 2, height - 6, x_label, "middle"))
    for number, (name, lower, middle, upper) in enumerate(rows):
        y = TOP + ROW_HEIGHT * number + ROW_HEIGHT / 2
        width = max(at(upper) - at(lower), 2.0)
        parts.append(_text(left - 10, y + 4, name, "end"))
        parts.append(f'<rect class="bar" x="{at(lower):.1f}" y="{y - 7}" width="{width:.1f}" '
                     f'height="14" rx="3"/>')  # fmt: skip
        parts.append(f'<line class="middle" x1="{at(middle):.1f}" x2="{at(middle):.1f}" '
                     f'y1="{y - 10}" y2="{y + 10}"/>')  # fmt: skip
    return _figure("".join(parts), height, title, [])


def _figure(content: str, height: int, title: str, names: Sequence[str]) -> str:
    keys = "".join(
        f'<span class="key"><i style="background:var(--s{number})"></i>{escape(name)}</span>'
        for number, name in enumerate(names, start=1)
        if len(names) > 1
    )
    legend = f"<div>{keys}</div>" if keys else ""
    return (
        f"<figure><figcaption>{escape(title)}{legend}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"{content}</svg></figure>"
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _number(value: float, percent: bool) -> str:
    return f"{100.0 * value:.4g} %" if percent else f"{value:.6g}"


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers from ``low`` to ``high``, or a little beyond."""
    span = max(high - low, 1e-9)
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= rough * 0.999)
    start = math.ceil(low / step - 1e-9)
    end = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(start, end + 1)]
