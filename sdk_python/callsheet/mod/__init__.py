"""Scripts for NPCs: one Python file, run with ``callsheet mod run FILE``. docs/mods.md shows how.

from callsheet.mod import Npc, action, every

class Guard(Npc):
archetypes = ["guard"]
persona = "You are Bram, a tired gate guard who wants his supper."

@action
def open_gate(self, reason: str, wide: bool = False) -> None:
"Open the town gate."

async def on_hear(self, heard):
return self.material("It is market day: the gate may be opened for anyone with goods.")

async def on_near(self, player):
await self.say("Halt! Who goes there?")
"""

from callsheet.cast.character import LoreEntry
from callsheet.mod.cast import Greetings, Lorebook
from callsheet.mod.npc import Answer, Gate, Npc, action, at, every
from callsheet.wire.saves import Loaded
from callsheet.wire.script import ActionDone, Heard, NpcTick

__all__ = [
    "ActionDone",
    "Answer",
    "Gate",
    "Greetings",
    "Heard",
    "Loaded",
    "LoreEntry",
    "Lorebook",
    "Npc",
    "NpcTick",
    "action",
    "at",
    "every",
]
