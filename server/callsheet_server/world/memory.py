"""What an NPC remembers of its talks: the last turns, verbatim."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

__all__ = ["Memory", "Turn"]

MAX_TURNS = 64
"""Turns kept per NPC. Engines leave out the oldest that do not fit their context."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said or done. ``speaker`` is None for the NPC's own turns."""

    speaker: str | None
    text: str


class Memory:
    """The turns of all NPCs of a world."""

    def __init__(self) -> None:
        self._turns: dict[str, deque[Turn]] = {}

    def turns(self, npc: str) -> tuple[Turn, ...]:
        """Oldest first."""
        return tuple(self._turns.get(npc, ()))

    def add(self, npc: str, *turns: Turn) -> None:
        self._turns.setdefault(npc, deque(maxlen=MAX_TURNS)).extend(turns)

    def forget(self, npc: str) -> None:
        self._turns.pop(npc, None)
