"""The starter script that ``callsheet mod new`` writes."""

__all__ = ["STARTER"]

STARTER = '''"""A guard for Callsheet. Run it with: callsheet mod run {file}"""

from typing import Literal

from callsheet.mod import Heard, Npc, action, every


class Guard(Npc):
    archetypes = ["guard"]  # every NPC of this kind; npcs = ["bram"] names single ones
    persona = "You are a tired gate guard. You speak in short sentences and want your supper."
    interaction_radius_m = 4.0

    @action
    def open_gate(self, reason: str, gate: Literal["north", "south"] = "north") -> None:
        "Open a gate of the town for somebody who may pass."

    def on_near(self, player: str) -> None:
        self.say("Halt! Who goes there?")

    def on_hear(self, heard: Heard):
        if "password" in heard.text:
            return "I did not hear that."  # said as it is, without the model
        return self.material("It is market day: who brings goods may pass.")

    @every(600)
    def yawn(self) -> None:
        self.say("*yawns*")
'''
