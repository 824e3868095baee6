"""Presence of players within NPCs' reach: turns positions into "came near" and "left"."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsheet_server.world.world import World

__all__ = ["Presence", "PresenceChange"]

LEAVE_FACTOR = 1.25
"""A player has left at this many times the interaction radius, so that nobody flickers."""
MAX_PAIRS: Final = 100_000
"""Pairs of player and NPC looked at in one call: four players among 25,000 NPCs, some 2 ms."""
MAX_CHANGES: Final = 100
"""Changes listed in one call; the rest come with the next."""


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """A player came within reach of an NPC, or left."""

    npc: str
    player: str
    near: bool
    distance_m: float
    """+inf if the player is no longer there at all."""


class Presence:
    """Remembers who is within reach of whom, of the NPCs it is asked to watch.

    One call costs no more than ``MAX_PAIRS`` and ``MAX_CHANGES`` say, however many players jump
    about. Players it did not come to are the first ones the next time.
    """

    def __init__(self) -> None:
        self._near: dict[str, NDArray[np.int64]] = {}
        """By player: (N,) int64, the handle of the NPC within its reach on each row; -1 = none."""
        self._turn: deque[str] = deque()
        """The players, those looked at longest ago first."""

    def update(self, world: World, watched: Sequence[str]) -> list[PresenceChange]:
        """List changes since the last call. NPCs no longer watched are forgotten without one."""
        if not watched:
            self._near.clear()
            self._turn.clear()
            return []
        for player in world.players:
            if player not in self._near:
                self._near[player] = np.empty(0, np.int64)
                self._turn.append(player)
        rows = np.fromiter((world.npcs[name].row for name in watched), np.intp, len(watched))
        changes: list[PresenceChange] = []
        for _ in range(min(len(self._turn), max(1, MAX_PAIRS // len(watched)))):
            player = self._turn.popleft()
            left_over = MAX_CHANGES - len(changes)
            told, done = self._look(world, player, watched, rows, left_over)
            changes += told
            if not done:
                self._turn.appendleft(player)
                break
            if player in world.players:
                self._turn.append(player)
            else:
                del self._near[player]
        return changes

    def _look(
        self,
        world: World,
        player: str,
        watched: Sequence[str],
        rows: NDArray[np.intp],
        max_changes: int,
    ) -> tuple[list[PresenceChange], bool]:
        """List one player's changes, at most so many; False = there are more."""
        columns, handles = world.columns, world.columns.handle[rows]
        known = np.full(columns.rows, -1, np.int64)
        known[: len(self._near[player])] = self._near[player]
        before = known[rows] == handles
        there = world.players.get(player)
        if there is not None and there.present:
            range_m = np.linalg.norm(columns.position_m[rows] - there.position_m, axis=1)
            reach_m = columns.interaction_radius_m[rows]
            in_reach = range_m <= np.where(before, reach_m * LEAVE_FACTOR, reach_m)
            now = in_reach & columns.active[rows]
        else:
            range_m = np.full(len(rows), np.inf)
            now = np.zeros(len(rows), np.bool_)
        came, left = np.flatnonzero(now & ~before), np.flatnonzero(before & ~now)
        changed = np.concatenate([came, left])
        told, later = changed[:max_changes], changed[max_changes:]
        now[later] = before[later]
        known.fill(-1)
        known[rows[now]] = handles[now]
        self._near[player] = known
        changes = [
            PresenceChange(watched[at], player, near, float(range_m[at]) if near else math.inf)
            for at, near in zip(told.tolist(), now[told].tolist(), strict=True)
        ]
        return changes, not len(later)
