"""Values of a cast: a character, the parts of its persona, entries of a lorebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from callsheet.wire.fields import Many

__all__ = ["ORDER", "Book", "Character", "LoreEntry", "LoreLogic", "Section", "SectionKind"]

SectionKind = Literal[
    "description", "personality", "background", "occupation", "skills", "speech", "appearance",
    "relationships", "lore", "scenario", "examples",
]  # fmt: skip
"""Parts of a persona, in the order in which they stand in it."""
ORDER: Final[tuple[SectionKind, ...]] = get_args(SectionKind)
LoreLogic = Literal["any", "all", "not_any", "not_all"]
"""Rule for secondary keys: one is there, all are, none is, not all are."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a persona."""

    kind: SectionKind
    text: str


@dataclass(frozen=True, slots=True)
class LoreEntry:
    """Something that is known: always, or when one of its keys is heard."""

    content: str
    keys: Many[str] = ()
    secondary_keys: Many[str] = ()
    logic: LoreLogic = "any"
    """Rule for the secondary keys, where there are any."""
    constant: bool = False
    """True = always known."""
    order: float = 100.0
    """Entries of a higher order stay when the budget is short."""
    probability: float = 1.0
    case_sensitive: bool = False
    name: str = ""
    extras: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Book:
    """A lorebook: no character, but what all characters of a world may know."""

    source: str
    name: str
    entries: list[LoreEntry]
    budget_tokens: int | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Character:
    """A character as its file describes it, with names filled in and template code dropped."""

    source: str
    """Path of its file, and what tells it from others of the same file."""
    format: str
    name: str
    sections: list[Section] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    """Lines for a first meeting: the first, then alternatives."""
    group_greetings: list[str] = field(default_factory=list)
    material: list[str] = field(default_factory=list)
    """Instructions for every reply, put before what is heard."""
    lore: list[LoreEntry] = field(default_factory=list)
    """Entries with keys, known to this character alone."""
    lore_budget_tokens: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    sociability: float | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    """Fields of the file that have no other place, or were changed on the way there."""
    notes: list[str] = field(default_factory=list)
    """Remarks for the report."""
