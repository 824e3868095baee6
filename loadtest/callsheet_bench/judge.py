"""Targets, and whether they were reached: ratios of rounds, never a single run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from callsheet_bench.figures import Spread, ratios, spread
from callsheet_bench.plan import LORA, OVERHEAD
from callsheet_bench.store import Store

__all__ = ["MIN_ROUNDS", "TARGETS", "Target", "Verdict", "judge"]

MIN_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio of two systems' figure in the same rounds."""

    name: str
    table: str
    ours: str
    theirs: str
    limit: float
    figure: str = "replies_per_s"
    at_most: bool = False
    """The ratio is to be at most ``limit``, not at least."""

    def met_by(self, ratio: float) -> bool:
        """Whether this ratio reaches it."""
        return ratio <= self.limit if self.at_most else ratio >= self.limit

    @property
    def wanted(self) -> str:
        """The target in words."""
        return f"{'at most' if self.at_most else 'at least'} {self.limit:g} x {self.theirs}"


TARGETS: Sequence[Target] = (
    Target("replies/s over stock", "town", "callsheet", "stock", 1.74),
    Target("replies/s, share of everybody resident", "town", "callsheet", "resident", 0.9),
    Target("replies/s over naive swap, emulated link", "link", "callsheet-link", "naive-link", 1.5),
    Target(
        "replies/s of stock, with 45 % of its device pool", "pool", "callsheet", "stock-large", 1.0
    ),
    Target(
        "adapter swaps on the critical path",
        LORA,
        "lora-callsheet",
        "lora-lru",
        0.5,
        "critical_swaps_per_reply",
        at_most=True,
    ),
    Target("replies/s on ordinary traffic", OVERHEAD, "callsheet", "naive", 0.98),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome of a target."""

    target: Target
    ratio: Spread | None
    """Over the rounds that both systems played; None = not measured."""

    @property
    def met(self) -> bool | None:
        """None = cannot be said: not measured, or in too few rounds."""
        if self.ratio is None or self.ratio.rounds < MIN_ROUNDS:
            return None
        return self.target.met_by(self.ratio.median)

    @property
    def word(self) -> str:
        """pass, fail, or why neither."""
        if self.met is not None:
            return "pass" if self.met else "fail"
        return "not measured" if self.ratio is None else f"only {self.ratio.rounds} rounds"

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as JSON, for programs."""
        target, ratio = self.target, self.ratio
        return {
            "target": target.name,
            "table": target.table,
            "figure": target.figure,
            "wanted": target.wanted,
            "ratio": ratio and {"median": ratio.median, "low": ratio.low, "high": ratio.high,
                                "rounds": ratio.rounds},
            "verdict": self.word,
        }  # fmt: skip


def judge(store: Store) -> list[Verdict]:
    """Judge every target by what has been measured so far."""
    verdicts = []
    for target in TARGETS:
        rounds = store.figures(target.table)
        ours, theirs = (
            {number: figures[target.figure] for number, figures in rounds.get(name, {}).items()}
            for name in (target.ours, target.theirs)
        )
        found = ratios(ours, theirs)
        verdicts.append(Verdict(target, spread(found) if found else None))
    return verdicts
