"""State moves: the planner's frozen decisions, carried out in order by one executor."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from callsheet_residency.state import StateKind, Tier

__all__ = ["Action", "Evict", "Load", "Plan"]


@dataclass(frozen=True, slots=True)
class Load:
    """Move a piece of state up: ``StateStore.load(key, target)``."""

    kind: StateKind
    key: Hashable
    source: Tier
    """Its tier when the plan was made; ``ABSENT`` = build it."""
    target: Tier
    size_bytes: int
    reason: str
    """The reason in one line, for people."""


@dataclass(frozen=True, slots=True)
class Evict:
    """Move a piece of state down: ``StateStore.evict(key, target)``."""

    kind: StateKind
    key: Hashable
    source: Tier
    target: Tier
    """``ABSENT`` = drop it; it will have to be rebuilt."""
    size_bytes: int
    reason: str
    """The reason in one line, for people."""


Action = Load | Evict


@dataclass(frozen=True, slots=True)
class Plan:
    """Moves in the order they must be done: carried out in it, none meets a full tier."""

    actions: tuple[Action, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.actions)
