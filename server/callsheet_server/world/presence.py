"""Presence of players within NPCs' reach: turns positions into "came near" and "left"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from callsheet_server.world.world import World

__all__ = ["Presence", "PresenceChange"]

LEAVE_FACTOR = 1.25
"""A player has left at this many times the interaction radius, so that nobody flickers."""


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """A player came within reach of an NPC, or left."""

    npc: str
    player: str
    near: bool
    distance_m: float
    """+inf if the player is no longer there at all."""


class Presence:
    """Remembers the pairs within reach, of the NPCs it is asked to watch."""

    def __init__(self) -> None:
        self._near: set[tuple[str, str]] = set()

    def update(self, world: World, watched: Sequence[str]) -> list[PresenceChange]:
        """List changes since the last call. NPCs no longer watched are forgotten without one."""
        if not watched:
            self._near.clear()
            return []
        players = [(name, p) for name, p in world.players.items() if p.present]
        rows = [world.npcs[name].row for name in watched]
        columns = world.columns
        changes: list[PresenceChange] = []
        near: set[tuple[str, str]] = set()
        for player_id, player in players:
            range_m = np.linalg.norm(columns.position_m[rows] - player.position_m, axis=1)
            reach_m = columns.interaction_radius_m[rows]
            stays = (range_m <= reach_m * LEAVE_FACTOR) & columns.active[rows]
            for index in np.flatnonzero(stays).tolist():
                pair = (watched[index], player_id)
                if pair in self._near:
                    near.add(pair)
                elif range_m[index] <= reach_m[index]:
                    near.add(pair)
                    changes.append(PresenceChange(*pair, True, float(range_m[index])))
        here = set(watched)
        gone = sorted(pair for pair in self._near - near if pair[0] in here)
        changes += [PresenceChange(*pair, False, float("inf")) for pair in gone]
        self._near = near
        return changes
