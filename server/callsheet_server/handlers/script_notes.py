"""Notes to the author of a script that was just registered and speaks for nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from callsheet.wire.script import RegisterScript
from callsheet_server.rooms.room import Room

__all__ = ["nobody_note"]

MAX_LISTED: Final = 8


def nobody_note(room: Room, script: RegisterScript, games: Collection[str]) -> str | None:
    """Explain to its author why a script matches no NPC; None = it may match yet.

    ``games``: the worlds with a game in them that the author may know of.
    """
    if room.game is None:
        elsewhere = f"; games are in: {_listed(games)}" if games else ""
        return f"no game is in world {room.name!r}{elsewhere}"
    here = room.world.npcs.values()
    if not here:
        return None
    if script.archetypes:
        there = {npc.spec.archetype for npc in here if npc.spec.archetype is not None}
        return f"no NPC has archetype {_listed(script.archetypes)}; there are: {_listed(there)}"
    there = {npc.spec.npc for npc in here}
    return f"no NPC has the id {_listed(script.npcs)}; there are: {_listed(there)}"


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = ", ..." if len(ordered) > MAX_LISTED else ""
    return ", ".join(ordered[:MAX_LISTED]) + more if ordered else "none"
