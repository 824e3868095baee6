"""The worlds whose description takes the most room."""

from __future__ import annotations

from callsheet.wire import NpcSpec, PlayerSpec
from callsheet_server.world.world import World, WorldLimits

MAX_BYTES = 64_000
WIDE = ["x", '"', "\x01", "\u2028", "\U0001f600"]
"""Characters that JSON writes in one to six bytes."""


def full_world(npcs: int, players: int, longest: float, character: str = "\x01") -> World:
    """Ids, names and positions take as much room as they can; ``longest`` has the most digits."""
    name = character * 100
    world = World("w", WorldLimits(max_npcs=npcs, max_npcs_per_spawn=npcs, max_players=players))
    there = (longest, longest, longest)
    world.spawn(
        [NpcSpec(npc=f"{i:064d}", name=name, position=there) for i in range(npcs)],
        [PlayerSpec(player=f"{i:064d}", name=name, position=there) for i in range(players)],
    )
    world.columns.handle[:npcs] |= 0xFFF00000
    for one in world.npcs.values():
        one.handle = int(world.columns.handle[one.row])
    world.columns.open_turns[:npcs] = 1
    world.columns.interaction_radius_m[:npcs] = longest
    world.columns.last_call_s[:npcs] = longest
    return world
