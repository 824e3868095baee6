"""Distances of NPCs from the players, as the last tick placed them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from callsheet_server.world.world import World

__all__ = ["player_range_m"]


def player_range_m(world: World, npcs: Sequence[str]) -> NDArray[np.float32]:
    """(N,) float32 metres from each of N living NPCs to the nearest player; +inf without players.

    Raises:
        KeyError: an NPC is gone.
    """
    rows = np.array([world.npcs[npc].row for npc in npcs], np.intp)
    nearest_m = np.full(len(rows), np.inf, np.float32)
    for player in world.players.values():
        if player.present:
            offset_m = world.columns.position_m[rows] - player.position_m.astype(np.float32)
            np.minimum(nearest_m, np.linalg.norm(offset_m, axis=1), out=nearest_m)
    return nearest_m
