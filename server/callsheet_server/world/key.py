"""Key that names an NPC across all worlds of one server."""

from typing import NamedTuple

__all__ = ["NpcKey"]


class NpcKey(NamedTuple):
    """Key of an NPC: its id is unique in its world only."""

    world: str
    npc: str

    def __str__(self) -> str:
        return f"{self.world}/{self.npc}"
