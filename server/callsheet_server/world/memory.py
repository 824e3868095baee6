"""What an NPC remembers: the last turns of its talks, verbatim, and facts its script noted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["MAX_TURNS", "Memory", "Turn"]

MAX_TURNS = 64
"""Turns at hand per NPC. Engines leave out the oldest that do not fit their context."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said or done. ``speaker`` is None for the NPC's own turns."""

    speaker: str | None
    text: str


class Memory:
    """The turns and facts of all NPCs of a world."""

    def __init__(self) -> None:
        self._turns: dict[str, deque[Turn]] = {}
        self._facts: dict[str, dict[str, Any]] = {}

    def turns(self, npc: str) -> tuple[Turn, ...]:
        """Oldest first."""
        return tuple(self._turns.get(npc, ()))

    def facts(self, npc: str) -> Mapping[str, Any]:
        """JSON values by name."""
        return self._facts.get(npc, {})

    def add(self, npc: str, *turns: Turn) -> None:
        self._turns.setdefault(npc, deque(maxlen=MAX_TURNS)).extend(turns)

    def note(self, npc: str, facts: Mapping[str, Any]) -> None:
        """Set facts; a value of None takes one away."""
        known = {**self._facts.pop(npc, {}), **facts}
        left = {name: value for name, value in known.items() if value is not None}
        if left:
            self._facts[npc] = left

    def put(self, npc: str, turns: Iterable[Turn], facts: Mapping[str, Any]) -> None:
        """Replace all that an NPC remembers."""
        self.forget(npc)
        self.add(npc, *turns)
        self.note(npc, facts)

    def forget(self, npc: str) -> None:
        self._turns.pop(npc, None)
        self._facts.pop(npc, None)
