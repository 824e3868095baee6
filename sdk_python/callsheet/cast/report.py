"""Report of an import: what was read, made, skipped, trimmed, and whether it fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from callsheet.cast.reading import Skipped

__all__ = ["Report", "TrimmedPersona"]

SHOWN: Final = 20
"""Lines of one kind that the text shows; all of them are in the JSON."""


@dataclass(frozen=True, slots=True)
class TrimmedPersona:
    """A persona that was longer than its budget."""

    npc: str
    tokens_before: int
    tokens: int
    left_out: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """Counts and lists of one import."""

    read: int = 0
    """Characters and lorebooks found."""
    made: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    trimmed: list[TrimmedPersona] = field(default_factory=list)
    refused: list[TrimmedPersona] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    """Name and id of those whose id is not simply their name, since another has that."""
    kept_ids: int = 0
    """NPCs that have the id of an earlier import."""
    without_persona: int = 0
    formats: dict[str, int] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Source and remark: code that was dropped, names that were made up, entries left out."""
    lore_tokens: int = 0
    tokens: list[int] = field(default_factory=list)
    """Tokens of every persona that was made."""
    budget_tokens: int = 0
    counted: str = "estimated"
    """Way in which tokens were counted."""
    fits: dict[str, int] = field(default_factory=dict)
    """Tier -> NPCs that it has room for, beside those of the tiers above."""

    @property
    def over_budget(self) -> int:
        """Number of personas that are longer than the budget and were kept so."""
        return sum(tokens > self.budget_tokens for tokens in self.tokens)

    def percentile(self, share: float) -> int:
        """Tokens of the persona at a share of all, by length."""
        ordered = sorted(self.tokens)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0

    def as_json(self) -> Mapping[str, object]:
        """All of it, for machines."""
        return {
            "read": self.read,
            "made": self.made,
            "formats": self.formats,
            "skipped": [{"source": s.source, "reason": s.reason} for s in self.skipped],
            "trimmed": [_trimmed(one) for one in self.trimmed],
            "refused": [_trimmed(one) for one in self.refused],
            "renamed": [{"name": name, "npc": npc} for name, npc in self.renamed],
            "kept_ids": self.kept_ids,
            "without_persona": self.without_persona,
            "notes": [{"source": source, "note": note} for source, note in self.notes],
            "tokens": {
                "p50": self.percentile(0.5),
                "p95": self.percentile(0.95),
                "max": max(self.tokens, default=0),
                "budget": self.budget_tokens,
                "over_budget": self.over_budget,
                "lore": self.lore_tokens,
                "counted": self.counted,
            },
            "fits": self.fits,
        }

    def lines(self) -> Iterator[str]:
        """Yield the report as text."""
        formats = ", ".join(f"{count} {name}" for name, count in sorted(self.formats.items()))
        yield f"read {self.read} ({formats or 'nothing'}), made {self.made} NPCs"
        yield from _listed("skipped", [f"{s.source}: {s.reason}" for s in self.skipped])
        yield from _listed("trimmed", [_words(one) for one in self.trimmed])
        yield from _listed("refused", [_words(one) for one in self.refused])
        yield from _listed("ids with a number", [f"{npc} ({name})" for name, npc in self.renamed])
        yield from _listed("notes", [f"{source}: {note}" for source, note in self.notes])
        if self.kept_ids:
            yield f"{self.kept_ids} NPCs keep the id of an earlier import"
        if self.without_persona:
            yield f"{self.without_persona} NPCs have no persona: they are known by their name only"
        yield (
            f"tokens of a persona ({self.counted}): p50 {self.percentile(0.5)}, "
            f"p95 {self.percentile(0.95)}, max {max(self.tokens, default=0)}; "
            f"the budget is {self.budget_tokens}, {self.over_budget} are over it; "
            f"lore of the world: {self.lore_tokens}"
        )
        if self.fits:
            room = ", ".join(f"{tier} {count}" for tier, count in self.fits.items())
            yield f"prefixes that fit, of {self.made}: {room}"


def _listed(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{title}: {len(lines)}"
        yield from (f"  {line}" for line in lines[:SHOWN])
        if len(lines) > SHOWN:
            yield f"  and {len(lines) - SHOWN} more; --json has all"


def _words(one: TrimmedPersona) -> str:
    left_out = f", left out: {', '.join(one.left_out)}" if one.left_out else ""
    return f"{one.npc}: {one.tokens_before} -> {one.tokens} tokens{left_out}"


def _trimmed(one: TrimmedPersona) -> Mapping[str, object]:
    return {
        "npc": one.npc,
        "tokens_before": one.tokens_before,
        "tokens": one.tokens,
        "left_out": list(one.left_out),
    }
