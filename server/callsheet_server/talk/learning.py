"""Turns that NPCs learn: in memory at once, on the disk with the change that is returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from callsheet_server.storage.changes import Change
from callsheet_server.storage.writes import AddTurn
from callsheet_server.world.memory import Memory, Turn

__all__ = ["learn"]


def learn(memory: Memory, told: Mapping[str, Sequence[Turn]], time_s: float) -> Change:
    """Have NPCs that are in the world remember turns of this game time."""
    before = {npc: memory.mind(npc) for npc in told}
    for npc, turns in told.items():
        memory.add(npc, *turns)
    after = {npc: memory.mind(npc) for npc in told}

    def undo() -> None:
        for npc, mind in before.items():
            memory.put_back(npc, replace(mind, facts=memory.facts(npc)), after[npc])

    return Change(
        [
            AddTurn(npc, turn.speaker, turn.text, time_s)
            for npc, turns in told.items()
            for turn in turns
        ],
        undo=undo,
    )
