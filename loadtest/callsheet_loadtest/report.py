"""The report of a run: one HTML file with its plots, and the same in a few lines of text."""

from __future__ import annotations

import html
from collections.abc import Sequence

from callsheet_loadtest.outcome import Outcome

__all__ = ["html_report", "summary"]

WIDTH, HEIGHT, MARGIN = 860, 220, 46
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706")
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:920px;margin:2em auto;padding:0 1em;
color:#111;background:#fff}
table{border-collapse:collapse}td,th{padding:.2em .9em;text-align:right;
border-bottom:1px solid #8884}td:first-child,th:first-child{text-align:left;padding-left:0}
svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:currentColor}
.missed{color:#dc2626}.passed{color:#059669}iframe{width:100%;height:70vh;border:1px solid #8884}
pre{white-space:pre-wrap}
@media(prefers-color-scheme:dark){body{color:#eee;background:#15171c}}
"""


def summary(outcome: Outcome) -> str:
    """Return the summary to print at the end."""
    lines = [
        f"{'':26}{'count':>9}{'failed':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}"
    ]
    lines += [
        f"{name:26}{row['count']:>9,}{row['failures']:>8,}{row['p50_ms']:>9,.0f}"
        f"{row['p95_ms']:>9,.0f}{row['p99_ms']:>9,.0f}{row['max_ms']:>9,.0f}"
        for name, row in outcome.rows.items()
    ]
    lines += ["", *(f"{name:36}{value}" for name, value in _figures(outcome))]
    lines += [f"MISSED: {problem}" for problem in outcome.missed]
    return "\n".join(lines)


def _figures(outcome: Outcome) -> list[tuple[str, str]]:
    costs = outcome.steady_costs()
    cores, per_million = outcome.server_cpu_share, outcome.cpu_s_per_million_updates
    slope = outcome.rss_slope_mb_per_min
    figures = [("NPC updates per second", f"{outcome.npc_updates_per_s:,.0f}")]
    if cores is not None and per_million is not None:
        figures += [
            ("server CPU", f"{100 * cores:.0f} % of a core"),
            ("server CPU per million NPC updates", f"{per_million:.2f} s"),
            ("server memory", f"{costs[-1].rss_mb:.0f} MB"),
        ]
    if slope is not None:
        figures.append(("server memory grows by", f"{slope:+.2f} MB a minute"))
    return [*figures, ("load average of this machine", f"{outcome.load_average:.2f}")]


def html_report(outcome: Outcome, locust_html: str) -> str:
    """Page with everything that was measured; Locust's own report is put inside it."""
    test = outcome.test
    start_s = outcome.samples[0]["time_s"] if outcome.samples else 0.0
    times = [s["time_s"] - start_s for s in outcome.samples]

    def of(row: str, key: str) -> list[float | None]:
        found = [s["rows"].get(row) for s in outcome.samples]
        return [r[key] if r and r["count"] else None for r in found]

    cost_times = [c.time_s - start_s for c in outcome.costs]
    plots = [
        plot(
            "Tick ack latency, ms",
            times,
            {"p50": of("tick ack", "p50_ms"), "p99": of("tick ack", "p99_ms")},
        ),
        plot(
            "NPC updates per second",
            times,
            {
                "updates": [
                    None if count is None else count * test.npcs / test.users
                    for count in of("tick ack", "count")
                ]
            },
        ),
        plot(
            "Say to first token and to the end, p95, ms",
            times,
            {
                "first token": of("say first token", "p95_ms"),
                "end": of("say end", "p95_ms"),
            },
        ),
        plot("Users", times, {"users": [s["users"] for s in outcome.samples]}),
    ]
    if len(outcome.costs) > 1:
        pairs = zip(outcome.costs, outcome.costs[1:], strict=False)
        cpu = [100 * (b.cpu_s - a.cpu_s) / (b.time_s - a.time_s) for a, b in pairs]
        plots += [
            plot("Server CPU, % of a core", cost_times[1:], {"CPU": cpu}),
            plot("Server memory, MB", cost_times, {"RSS": [c.rss_mb for c in outcome.costs]}),
        ]
    verdict = (
        "".join(f'<p class="missed">missed: {html.escape(m)}</p>' for m in outcome.missed)
        or '<p class="passed">All thresholds were met.</p>'
    )
    keys = ("count", "failures", "p50_ms", "p95_ms", "p99_ms", "max_ms")
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td>"
        + "".join(f"<td>{row[key]:,.0f}</td>" for key in keys)
        + "</tr>"
        for name, row in outcome.rows.items()
    )
    figures = "".join(f"<tr><td>{k}</td><td>{v}</td></tr>" for k, v in _figures(outcome))
    locust = (
        f'<details><summary>Locust\'s report</summary><iframe srcdoc="{html.escape(locust_html)}">'
        "</iframe></details>"
        if locust_html
        else ""
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Callsheet load test</title>"
        f"<style>{STYLE}</style><h1>Callsheet load test</h1>"
        f"<p>{test.users} games, {test.npcs:,} NPCs, {test.hz:g} ticks a second, {test.mods} mods, "
        f"{test.observers} observers, shape {test.shape}, {test.seconds} s, "
        f"engine {html.escape(test.engine)}</p>{verdict}<table>{figures}</table>"
        f"<h2>Requests</h2><table><tr><th></th><th>count</th><th>failed</th><th>p50 ms</th>"
        f"<th>p95 ms</th><th>p99 ms</th><th>max ms</th></tr>{rows}</table>"
        f"<h2>Over time</h2>{''.join(plots)}{locust}</html>"
    )


def plot(title: str, times_s: Sequence[float], lines: dict[str, Sequence[float | None]]) -> str:
    """A line chart as inline SVG; None makes a gap."""
    values = [v for line in lines.values() for v in line if v is not None]
    if not values or len(times_s) < 2:
        return ""
    top = max(*values, 1e-9) * 1.1
    first_s, last_s = times_s[0], times_s[-1]

    def at(time_s: float, value: float) -> str:
        x = MARGIN + (time_s - first_s) / max(last_s - first_s, 1e-9) * (WIDTH - MARGIN)
        y = HEIGHT - 20 - value / top * (HEIGHT - 40)
        return f"{x:.1f},{y:.1f}"

    shapes = []
    for share in (0.0, 0.5, 1.0):
        y = HEIGHT - 20 - share / 1.1 * (HEIGHT - 40)
        shapes.append(
            f'<line x1="{MARGIN}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8884"/>'
            f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_short(share * top / 1.1)}</text>"
        )
    for colour, line in zip(COLOURS, lines.values(), strict=False):
        path, pen = "", "M"
        for time_s, value in zip(times_s, line, strict=True):
            if value is None:
                pen = "M"
                continue
            path += f"{pen}{at(time_s, value)}"
            pen = "L"
        shapes.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
    legend = " ".join(
        f'<tspan fill="{colour}">{html.escape(name)}</tspan>'
        for colour, name in zip(COLOURS, lines, strict=False)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">'
        f'<text x="{MARGIN}" y="14">{html.escape(title)}: {legend}</text>{"".join(shapes)}'
        f'<text x="{MARGIN}" y="{HEIGHT - 4}">0 s</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 4}" text-anchor="end">{last_s - first_s:.0f} s</text>'
        "</svg>"
    )


def _short(value: float) -> str:
    for unit, scale in (("M", 1e6), ("k", 1e3)):
        if value >= 10 * scale:
            return f"{value / scale:.0f}{unit}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
