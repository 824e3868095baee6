"""Worlds and ticks in few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from callsheet.wire import NpcSpec, PlayerSpec, Tick, TickKind, npc_records, player_records
from callsheet_server.world.world import World, WorldLimits

LIMITS = WorldLimits(max_npcs=200, max_npcs_per_spawn=100, max_players=8)


def npc(name: str, **spec: Any) -> NpcSpec:
    return NpcSpec(npc=name, name=name.title(), **spec)


def world_with(*npcs: str, players: tuple[str, ...] = ()) -> World:
    world = World("w", LIMITS)
    world.spawn([npc(n) for n in npcs], [PlayerSpec(player=p, name=p.title()) for p in players])
    return world


def tick_of(
    world: World,
    npcs: Mapping[str, tuple[float, float, float]] | None = None,
    players: Mapping[str, tuple[float, float, float]] | None = None,
    kind: TickKind = TickKind.DELTA,
    at_s: float = 0.0,
    **columns: Any,
) -> Tick:
    """A tick that puts NPCs and players, by name, at positions."""
    npcs, players = npcs or {}, players or {}
    return Tick(
        kind,
        1,
        at_s,
        False,
        npc_records(
            [world.npcs[name].handle for name in npcs],
            np.array(list(npcs.values()), np.float32).reshape(-1, 3),
            **columns,
        ),
        player_records(
            [world.players[name].handle for name in players],
            np.array(list(players.values()), np.float32).reshape(-1, 3),
        ),
    )
