"""NPCs that walk their rounds and players that visit them, cheap enough for thousands at 60 Hz.

``callsheet_server.tools.town`` tells a richer story in O(N^2); a load test needs the movement and
the meetings.
Every NPC is always on its way along a closed round of places, so that every tick names everybody:
no tick is cheaper than it looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Crowd", "Meeting"]

F32 = NDArray[np.float32]

PLACES = 6
"""Places of a round."""
METRES_PER_NPC = 16.0
"""The town has a square of this side for each NPC."""
WALK_MPS = 1.4
RUN_MPS = 6.0
REACH_M = 3.0
TALK_S = 8.0
"""Time a player stands with an NPC before it goes to the next."""
ANNOUNCING_SHARE = 0.02
"""NPCs who speak whenever they reach a place, and say in their tick when that will be."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Somebody has something to say to an NPC now."""

    npc: int
    player: int | None
    """None: nobody came; the NPC has reached a place of its round."""


class Crowd:
    """The movement of one world. Positions are (N, 3) float32, y up; time is game time."""

    def __init__(self, npcs: int, players: int, seed: int) -> None:
        draw = self._draw = np.random.default_rng(seed)
        side_m = METRES_PER_NPC * npcs**0.5
        self._places: F32 = draw.uniform(0, side_m, (npcs, PLACES, 3)).astype(np.float32)
        self._places[:, :, 1] = 0.0
        self._rows = np.arange(npcs)
        self._leg = np.zeros(npcs, np.intp)
        self.position_m: F32 = self._places[:, 0].copy()
        self.velocity_mps: F32 = np.zeros((npcs, 3), np.float32)
        self.next_call_s: F32 = np.full(npcs, np.nan, np.float32)
        """(N,) seconds to the next announced call where this tick announces one, else NaN."""
        self._announces = draw.random(npcs) < ANNOUNCING_SHARE
        self._left_s: F32 = np.zeros(npcs, np.float32)
        """(N,) walking time left to the next place."""
        self._set_out(self._rows)

        self.player_position_m: F32 = draw.uniform(0, side_m, (players, 3)).astype(np.float32)
        self.player_position_m[:, 1] = 0.0
        self.player_velocity_mps: F32 = np.zeros((players, 3), np.float32)
        self._goal = draw.integers(npcs, size=players)
        self._free_at_s = np.zeros(players)
        """(P,) until when each player stands and talks."""
        self.time_s = 0.0

    def step(self, time_s: float, flash: bool = False) -> list[Meeting]:
        """Move everybody on to ``time_s``.

        Args:
            time_s: must not decrease.
            flash: all players run to NPC 0 and talk to it, again and again.
        """
        dt_s, self.time_s = np.float32(time_s - self.time_s), time_s
        self.position_m += self.velocity_mps * dt_s
        self._left_s -= dt_s
        self.next_call_s.fill(np.nan)
        arrived = np.flatnonzero(self._left_s <= 0.0)
        meetings: list[Meeting] = []
        if len(arrived):
            meetings += [Meeting(int(npc), None) for npc in arrived[self._announces[arrived]]]
            self._set_out(arrived)
        return meetings + self._visit(dt_s, flash)

    def _set_out(self, npcs: NDArray[np.intp]) -> None:
        """Leave for the next place of the round."""
        self._leg[npcs] = (self._leg[npcs] + 1) % PLACES
        offset_m = self._places[npcs, self._leg[npcs]] - self.position_m[npcs]
        left_s = np.maximum(np.linalg.norm(offset_m, axis=1) / WALK_MPS, 1e-3)
        self._left_s[npcs] = left_s
        self.velocity_mps[npcs] = offset_m / left_s[:, None]
        self.next_call_s[npcs] = np.where(self._announces[npcs], left_s, np.nan)

    def _visit(self, dt_s: np.float32, flash: bool) -> list[Meeting]:
        """Each player runs to an NPC, stands there for a talk, and picks another."""
        if flash:
            self._goal[:] = 0
        offset_m = self.position_m[self._goal] - self.player_position_m
        range_m = np.linalg.norm(offset_m, axis=1)
        free = self._free_at_s <= self.time_s
        there = range_m <= REACH_M
        speed = np.where(free & ~there, RUN_MPS, 0.0).astype(np.float32)
        speed = np.minimum(speed, range_m / np.maximum(dt_s, 1e-3))
        self.player_velocity_mps = offset_m * (speed / np.maximum(range_m, 1e-6))[:, None]
        self.player_position_m += self.player_velocity_mps * dt_s
        meetings = []
        for player in np.flatnonzero(free & there).tolist():
            meetings.append(Meeting(int(self._goal[player]), player))
            self._free_at_s[player] = self.time_s + TALK_S
            self._goal[player] = self._draw.integers(len(self._rows))
        return meetings
