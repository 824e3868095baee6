"""Presence of players within NPCs' reach: turns positions into "came near" and "left"."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsheet_server.limits.token_bucket import TokenBucket
from callsheet_server.world.world import World

__all__ = ["Presence", "PresenceChange"]

LEAVE_FACTOR = 1.25
"""A player has left at this many times the interaction radius, so that nobody flickers."""
WORK_US_PER_S: Final = 30_000.0
"""Microseconds of work in a second: 64 players among 50 NPCs are looked at 20 times."""
WORK_AT_ONCE_US: Final = 5_000.0
"""Work of one call, at most: four players among 20,000 NPCs."""
LOOK_US: Final = 20.0
NPC_US: Final = 0.05
"""Work of a look besides that, and of a call, for each NPC."""
CHANGE_US: Final = 15.0
"""Work of telling a mod of a change."""
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

    Looks and changes are paid for out of ``WORK_US_PER_S``, however often it is called and however
    many players jump about. Players it did not come to are the first ones the next time.
    """

    def __init__(self) -> None:
        self._near: dict[str, NDArray[np.int64]] = {}
        """By player: (N,) int64, the handle of the NPC within its reach on each row; -1 = none."""
        self._turn: deque[str] = deque()
        """The players, those looked at longest ago first."""
        self._work_us = TokenBucket(WORK_US_PER_S, WORK_AT_ONCE_US, 0.0)

    def update(self, world: World, watched: Sequence[str], now_s: float) -> list[PresenceChange]:
        """List changes since the last call. NPCs no longer watched are forgotten without one."""
        if not watched:
            self._near.clear()
            self._turn.clear()
            return []
        for player in world.players:
            if player not in self._near:
                self._near[player] = np.empty(0, np.int64)
                self._turn.append(player)
        call_us = len(watched) * NPC_US
        look_us = LOOK_US + call_us
        if not self._turn or self._work_us.take(now_s, call_us + look_us):
            return []
        rows = np.fromiter((world.npcs[name].row for name in watched), np.intp, len(watched))
        changes: list[PresenceChange] = []
        for looked in range(len(self._turn)):
            if looked and self._work_us.take(now_s, look_us):
                break
            player = self._turn.popleft()
            left_over = MAX_CHANGES - len(changes)
            told, done = self._look(world, player, watched, rows, left_over)
            changes += told
            self._work_us.spend(len(told) * CHANGE_US)
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
