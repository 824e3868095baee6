"""Turns that NPCs learn: in memory at once, on the disk with the change that is returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from callsheet_server.storage.changes import Change
from callsheet_server.storage.writes import AddTurn
from callsheet_server.world.memory import Memory, Turn

__all__ = ["learn"]


def learn(memory: Memory, npc: str, turns: Sequence[Turn], time_s: float) -> Change:
    """Have an NPC that is in the world remember turns of this game time."""
    before = memory.mind(npc)
    memory.add(npc, *turns)
    return Change(
        [AddTurn(npc, turn.speaker, turn.text, time_s) for turn in turns],
        undo=lambda: memory.put(npc, replace(before, facts=memory.facts(npc))),
    )
