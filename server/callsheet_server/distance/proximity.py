"""Proximity: how soon a player can be near enough to talk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance.approach import after_cooldown, columns, time_to_reach_s
from callsheet_server.distance.settings import DistanceSettings
from callsheet_server.world.snapshot import Snapshot

__all__ = ["proximity"]


def proximity(snapshot: Snapshot, settings: DistanceSettings) -> NDArray[np.float32]:
    """(N,) float32 seconds until the soonest player is within each NPC's interaction radius.

    See ``approach.py`` for the speed assumed. After a talk (and a short while in which it may go
    on) the time is at least what is left of ``talk_cooldown_s``. +inf if there are no players.
    """
    soonest_s = np.full(len(snapshot.alive), np.inf, np.float32)
    if not len(snapshot.player_position_m):
        return soonest_s
    x, y, z = columns(snapshot.position_m)
    vx, vy, vz = columns(snapshot.velocity_mps)
    slowest = settings.turn_fraction * (snapshot.player_max_speed_mps + snapshot.npc_max_speed_mps)
    # Players are few: a loop over them keeps every temporary at N floats, inside the cache.
    for place_m, speed_mps in zip(
        snapshot.player_position_m, snapshot.player_velocity_mps, strict=True
    ):
        offset_m = (x - place_m[0], y - place_m[1], z - place_m[2])
        approach_mps = (speed_mps[0] - vx, speed_mps[1] - vy, speed_mps[2] - vz)
        time_s = time_to_reach_s(offset_m, approach_mps, snapshot.interaction_radius_m, slowest)
        np.minimum(soonest_s, time_s, out=soonest_s)
    return after_cooldown(
        soonest_s,
        snapshot.game_time_s,
        snapshot.last_call_s,
        settings.follow_up_s,
        settings.talk_cooldown_s,
    )
