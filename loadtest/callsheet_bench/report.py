"""Rounds as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from callsheet_bench.figures import FIGURES, Spread, gap_shares, ratios, spread
from callsheet_bench.gpu_link import Pair
from callsheet_bench.judge import judge
from callsheet_bench.plan import LORA, OVERHEAD, TABLES
from callsheet_bench.store import Store
from callsheet_bench.systems import SYSTEMS

__all__ = ["as_json", "markdown", "spreads"]

SHOWN: Sequence[str] = (
    "replies_per_s",
    "cpu_s_per_reply",
    "ttft_p50_ms",
    "ttft_p95_ms",
    "device_share",
    "host_share",
    "miss_share",
    "loaded_mb_per_reply",
    "written_mb_per_reply",
)
PARTS: Sequence[str] = ("queue_ms", "load_wait_ms", "prefill_ms", "decode_ms")
"""Parts of a request's time."""
OTHERS: Mapping[str, Sequence[str]] = {
    LORA: (
        "critical_swaps_per_reply",
        "prefetched_swaps_per_reply",
        "ttft_p50_ms",
        "ttft_p95_ms",
    ),
    OVERHEAD: ("replies_per_s", "cpu_s_per_reply", "ttft_p50_ms"),
}
"""Columns of the tables that do not show ``SHOWN`` and ``PARTS``."""
GAP = ("callsheet", "naive", "resident")
"""Systems by which a share of the gap is told."""
HEADINGS = {
    **FIGURES,
    "critical_swaps_per_reply": "swaps waited for/reply",
    "prefetched_swaps_per_reply": "swaps ahead/reply",
}


def spreads(store: Store, table: str) -> dict[str, dict[str, Spread]]:
    """System -> figure -> its spread over the rounds measured, systems in their usual order."""
    order = list(SYSTEMS)
    rounds = store.figures(table)
    names = sorted(rounds, key=lambda name: order.index(name) if name in order else len(order))
    return {
        name: {
            figure: spread([figures[figure] for figures in rounds[name].values()])
            for figure in next(iter(rounds[name].values()))
        }
        for name in names
    }


def over_others(store: Store, table: str) -> dict[str, Spread]:
    """Replies/s of the system with the plugin over each other one's, per round."""
    rates = {
        name: {number: figures["replies_per_s"] for number, figures in rounds.items()}
        for name, rounds in store.figures(table).items()
    }
    ours = next((name for name in rates if name.startswith("callsheet")), None)
    if ours is None:
        return {}
    found = {name: ratios(rates[ours], rates[name]) for name in rates if name != ours}
    return {name: spread(values) for name, values in found.items() if values}


def _rates(store: Store, table: str, system: str) -> dict[int, float]:
    rounds = store.figures(table).get(system, {})
    return {number: figures["replies_per_s"] for number, figures in rounds.items()}


def as_json(store: Store, pair: Pair) -> dict[str, Any]:
    """Everything: setup, what was found out, all tables, all verdicts."""
    return {
        "setup": store.setup,
        "facts": dict(store.facts),
        "link": {"gpu": pair.gpu.name, "model": pair.model.name,
                 "load_to_prefill": pair.load_to_prefill},
        "tables": {
            table: {
                system: {figure: asdict(value) for figure, value in figures.items()}
                for system, figures in spreads(store, table).items()
            }
            for table in TABLES
            if store.figures(table)
        },
        "replies_per_s_over": {
            table: {name: asdict(ratio) for name, ratio in over_others(store, table).items()}
            for table in TABLES
            if table not in OTHERS and store.figures(table)
        },
        "targets": [verdict.as_json() for verdict in judge(store)],
    }  # fmt: skip


def markdown(store: Store, pair: Pair) -> str:
    """All tables and verdicts, as they stand in docs/benchmarks.md."""
    return "\n".join([*_verdicts(store), *_tables(store), *_link(store, pair)])


def _verdicts(store: Store) -> Iterator[str]:
    rows = [
        (
            verdict.target.name,
            verdict.target.wanted,
            _cell(verdict.ratio, "ratio") if verdict.ratio else "",
            verdict.word,
        )
        for verdict in judge(store)
    ]
    yield from _table(("target", "wanted", "ratio per round", ""), rows)


def _tables(store: Store) -> Iterator[str]:
    for table, title in TABLES.items():
        measured = spreads(store, table)
        if not measured:
            continue
        yield f"\n### {title} (`--only {table}`)\n"
        if facts := store.fact(f"town {table}"):
            yield (
                f"{facts['npcs']} NPCs, {facts['prefix_tokens']:,} tokens of prefixes, device pool "
                f"{facts['device_pool_tokens']:,} tokens, {facts['requests']} requests a round, "
                f"{facts['calls_per_game_s']:.2f} calls per game second. LRU would hit "
                f"{facts['lru_hit_share']:.0%} of these calls, "
                f"{facts['lru_hit_share_of_the_day']:.0%} of the day's; "
                f"{facts['foreseen_share']:.0%} of these, "
                f"{facts['foreseen_share_of_the_day']:.0%} of the day's, come from those whom the "
                "forecasts would hold.\n"
            )
        yield from _figures(measured, OTHERS.get(table, SHOWN))
        if table not in OTHERS:
            yield ""
            yield from _figures(measured, (*PARTS, "game_speed"))
            for name, ratio in over_others(store, table).items():
                yield f"\nReplies/s with the plugin over {name}: {_cell(ratio, 'ratio')}"
            if shares := gap_shares(*(_rates(store, table, name) for name in GAP)):
                yield f"\nShare of the gap from naive to resident: {_cell(spread(shares), 'share')}"


def _figures(measured: Mapping[str, Mapping[str, Spread]], names: Sequence[str]) -> Iterator[str]:
    rows = [
        (system, *(_cell(figures[name], name) for name in names))
        for system, figures in measured.items()
    ]
    rounds = {figures[names[0]].rounds for figures in measured.values()}
    yield from _table((f"median of {min(rounds)} (low to high)", *map(HEADINGS.get, names)), rows)


def _link(store: Store, pair: Pair) -> Iterator[str]:
    rate, link = store.fact("prefill_tokens_per_s"), store.fact("link_bytes_per_s")
    if decode := store.fact("decode_tokens_per_s"):
        yield f"\nOne request at a time, this machine decodes {decode:.1f} tokens/s."
    if rate and link:
        yield (
            f"\nEmulated link: {pair.model.name} on {pair.gpu.name} loads a token in "
            f"{pair.load_to_prefill:.3f} of the time it computes it in; prefill here was "
            f"{rate:.0f} tokens/s, so the link carries {link / 1e6:.1f} MB/s."
        )


def _table(head: Sequence[str | None], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(str(cell) for cell in head) + " |"
    yield "|---" * len(head) + "|"
    yield from ("| " + " | ".join(row) + " |" for row in rows)


def _cell(value: Spread, name: str) -> str:
    if name.endswith("_share"):
        return f"{value.median:.0%} ({value.low:.0%} to {value.high:.0%})"
    digits = 0 if name.endswith("_ms") else 2
    return f"{value.median:.{digits}f} ({value.low:.{digits}f} to {value.high:.{digits}f})"
