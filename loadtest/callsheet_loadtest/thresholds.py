"""Thresholds a run must reach, judged on the totals of its rows."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Row", "missed"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of Locust's statistics, over some span of time."""

    count: int
    failures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


NOTHING = Row(0, 0, 0.0, 0.0, 0.0, 0.0)


def missed(rows: Mapping[str, Row], options: argparse.Namespace) -> list[str]:
    """Return the thresholds of ``add_options`` that the run missed, in words; empty = passed."""
    found = []
    acks = rows.get("tick ack", NOTHING)
    if acks.count == 0:
        found.append("no tick was acknowledged after all games had joined")
    for option, row, percentile in (
        ("max_ack_p99", "tick ack", "p99_ms"),
        ("max_first_token_p95", "say first token", "p95_ms"),
    ):
        limit_ms = getattr(options, option)
        if limit_ms is None:
            continue
        got_ms = getattr(rows.get(row, NOTHING), percentile)
        if got_ms > limit_ms:
            name = percentile.removesuffix("_ms")
            found.append(f"{row} {name} is {got_ms:g} ms; the limit is {limit_ms:g} ms")
    failures = sum(row.failures for row in rows.values())
    if failures > options.max_failures:
        found.append(f"{failures} requests failed; the limit is {options.max_failures}")
    skipped = rows.get("tick skipped", NOTHING).count
    sent = sum(row.count for name, row in rows.items() if name.startswith("tick ack"))
    share = sent / (sent + skipped) if sent else 0.0
    if sent and share < options.min_tick_share:
        found.append(
            f"{share:.1%} of the ticks due were sent; the limit is {options.min_tick_share:.1%} "
            "(this machine cannot generate the load: try --processes, or fewer NPCs)"
        )
    return found
