"""A profile for people: tables on a terminal, and one HTML page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from callsheet_server.tools.profile.plot import Series, line_chart, range_chart
from callsheet_server.tools.profile.predictability import Worth
from callsheet_server.tools.profile.profile import Profile

__all__ = ["Table", "html", "tables"]

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""Title, names of the columns, rows. The first column holds names, the others figures."""


def tables(profile: Profile) -> Iterator[Table]:
    """The figures, as text."""
    yield "Workload", ("", "value"), _workload(profile)
    errors = [
        (e.estimator, f"{e.lookback_s:g} s", str(e.calls), _s(e.p10_s), _s(e.p50_s), _s(e.p90_s))
        for e in profile.predictability.errors
    ]
    yield (
        "Error of the distance, predicted less actual (below 0 = too early)",
        ("estimator", "before the call", "calls", "p10", "p50", "p90"),
        errors,
    )
    bands = [
        (
            "farther" if c.up_to_s is None else f"up to {c.up_to_s:g} s",
            str(c.looks),
            "no call" if c.said_s is None else f"{c.said_s:.1f} s",
            "no call" if c.seen_s is None else f"{c.seen_s:.1f} s",
        )
        for c in profile.predictability.calibration
    ]
    yield "Calibration: distance said and seen", ("distance", "looks", "said", "seen"), bands
    chances = [
        (f"{c.band}, within {c.within_s:g} s", str(c.looks), f"{c.said:.1%}", f"{c.came:.1%}")
        for c in profile.predictability.chances
    ]
    yield "Chance of a call, said and seen", ("a call is", "looks", "said", "came"), chances
    yield (
        "Worth of the sources: callers in the front quarter of the order, 5 s before at most",
        ("order", "callers in front", "lost"),
        _worth(profile.predictability.worth),
    )
    yield (
        "Device budget and hit rate",
        ("budget", "MB", "distance (ours)", "LRU", "optimum", "gap closed"),
        _curve(profile),
    )


def _worth(worth: Worth) -> list[tuple[str, str, str]]:
    if not worth.callers:
        return []
    return [
        ("all sources", f"{worth.foremost:.1%}", ""),
        *(
            (f"without {source}", f"{share:.1%}", f"{worth.foremost - share:+.1%}")
            for source, share in worth.without.items()
        ),
    ]


def _workload(profile: Profile) -> list[tuple[str, str]]:
    active, predictable, room = profile.activity, profile.predictability, profile.capacity
    correlation, foreseen = predictable.median_rank_correlation, predictable.next_callers_foreseen
    wanted = f"{room.wanted_hit_rate:.0%}"
    return [
        ("NPCs / players", f"{profile.npcs} / {profile.players}"),
        ("game time", f"{profile.seconds:.0f} s in {profile.ticks} ticks"),
        ("calls", f"{profile.calls}, by {active.ever_calling_share:.0%} of the NPCs"),
        (f"NPCs calling in {active.step_s:g} s, mean", f"{active.mean_calling_share:.2%}"),
        (f"NPCs calling in {active.step_s:g} s, p95", f"{active.p95_calling_share:.2%}"),
        (
            f"working set of {active.window_s:g} s, greatest",
            f"{max(active.working_set_npcs)} NPCs, {_mb(max(active.working_set_bytes))}",
        ),
        (
            "rank correlation of predicted and actual order, median",
            "too few calls" if correlation is None else f"{correlation:.2f}",
        ),
        (
            "next callers foreseen (soonest tenth)",
            "too few calls" if foreseen is None else f"{foreseen:.0%}",
        ),
        *(
            (f"calls within the prefetch horizon {lookback} s before", f"{share:.0%}")
            for lookback, share in predictable.foreseen_share.items()
        ),
        ("state of all NPCs", _mb(room.total_bytes)),
        (f"device for a hit rate of {wanted}, ours", _budget(profile, room.wanted_bytes)),
        (f"device for a hit rate of {wanted}, LRU", _budget(profile, room.lru_wanted_bytes)),
    ]


def _curve(profile: Profile) -> list[tuple[str, ...]]:
    room = profile.capacity
    rows: list[tuple[str, ...]] = []
    for budget, hits, best in zip(
        room.budget_bytes, room.hit_rate, room.optimum_hit_rate, strict=True
    ):
        lru = next(
            rate
            for at, rate in zip(
                reversed(room.lru_budget_bytes), reversed(room.lru_hit_rate), strict=True
            )
            if at <= budget
        )
        rows.append(
            (
                f"{budget / room.total_bytes:.1%}",
                f"{budget / 1e6:,.0f}",
                f"{hits:.1%}",
                f"{lru:.1%}",
                f"{best:.1%}",
                f"{(hits - lru) / (best - lru):.0%}" if best > lru else "none",
            )
        )
    return rows


def html(profile: Profile, name: str) -> str:
    """The report as one page: no script, nothing fetched.

    Args:
        profile: what to report.
        name: of the workload or the trace file.
    """
    template = files("callsheet_server.tools.profile").joinpath("report.html").read_text("utf-8")
    figures = {
        "name": escape(name),
        "headline": _headline(profile),
        "charts": "".join(_charts(profile)),
        "tables": "".join(_html_table(*table) for table in tables(profile)),
    }
    for key, text in figures.items():
        template = template.replace(f"<!-- {key} -->", text)
    return template


def _headline(profile: Profile) -> str:
    active, predictable, room = profile.activity, profile.predictability, profile.capacity
    wanted = f"hit rate of {room.wanted_hit_rate:.0%}"
    correlation = predictable.median_rank_correlation
    cards = [
        (f"{active.mean_calling_share:.1%}", f"of {profile.npcs} NPCs call in {active.step_s:g} s"),
        (
            "?" if correlation is None else f"{correlation:.2f}",
            "rank correlation of predicted and actual order",
        ),
        (
            _share(room.wanted_bytes, room.total_bytes),
            f"of all state on the device for a {wanted}",
        ),
        (_share(room.lru_wanted_bytes, room.total_bytes), "is what LRU needs for that"),
    ]
    return "".join(
        f"<div class=card><b>{escape(value)}</b>{escape(about)}</div>" for value, about in cards
    )


def _charts(profile: Profile) -> Iterator[str]:
    active, predictable, room = profile.activity, profile.predictability, profile.capacity
    yield line_chart(
        [
            Series(
                "distance (ours, simulated)",
                [b / room.total_bytes for b in room.budget_bytes],
                room.hit_rate,
                dots=True,
            ),
            Series(
                "optimum (the future is known)",
                [b / room.total_bytes for b in room.budget_bytes],
                room.optimum_hit_rate,
            ),
            Series(
                "LRU (stack distances)",
                [b / room.total_bytes for b in room.lru_budget_bytes],
                room.lru_hit_rate,
            ),
        ],
        "device budget, share of all state",
        "Calls that find their prefix on the device",
        y_range=(0.0, 1.0),
        percent=True,
        percent_x=True,
        marked_y=(room.wanted_hit_rate, "wanted"),
    )
    yield line_chart(
        [Series("calling", active.time_s, active.calling_share)],
        "game time, s",
        f"NPCs that call within {active.step_s:g} s",
        percent=True,
    )
    yield line_chart(
        [Series("in use", active.time_s, [b / 1e6 for b in active.working_set_bytes])],
        "game time, s",
        f"Working set: state used within {active.window_s:g} s, MB",
    )
    if predictable.time_s:
        lowest = min(0.0, *predictable.rank_correlation)
        yield line_chart(
            [Series("correlation", predictable.time_s, predictable.rank_correlation)],
            "game time, s",
            "Rank correlation of predicted and actual next-call order",
            y_range=(lowest, 1.0),
        )
    if predictable.errors:
        yield range_chart(
            [
                (f"{e.estimator}, {e.lookback_s:g} s", e.p10_s, e.p50_s, e.p90_s)
                for e in predictable.errors
            ],
            "too early  ←  seconds of game time  →  too late",
            "Error of the distance before calls: p10 to p90, stroke at p50",
        )


def _html_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    table = f"<div class=scroll><table><tr>{head}</tr>{body}</table></div>"
    return f"<section><h2>{escape(title)}</h2>{table}</section>"


def _share(part_bytes: int | None, total_bytes: int) -> str:
    return "no budget" if part_bytes is None else f"{part_bytes / total_bytes:.0%}"


def _budget(profile: Profile, budget_bytes: int | None) -> str:
    if budget_bytes is None:
        return "not reached with any"
    share = budget_bytes / profile.capacity.total_bytes
    return f"{_mb(budget_bytes)}, {share:.0%} of all state"


def _s(seconds: float) -> str:
    return f"{seconds:+.1f} s"


def _mb(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
