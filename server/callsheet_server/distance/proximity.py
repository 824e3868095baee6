"""Proximity: how soon a player can be near enough to talk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance.approach import columns, time_to_reach_s
from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.world.snapshot import Snapshot

__all__ = ["proximity", "time_in_reach_s"]


def proximity(snapshot: Snapshot, assumed: Assumptions) -> NDArray[np.float32]:
    """(N,) float32 seconds until the soonest player is within each NPC's interaction radius.

    See ``approach.py`` for the speed assumed. After a call the time is at least what is left of
    ``talk_cooldown_s``, except for the first ``follow_up_s``, in which the talk may go on. A player
    within reach of an NPC that is in a talk is taken to be busy with it, and is expected by nobody
    else before that talk counts as over. +inf if there are no players.
    """
    soonest_s = np.full(len(snapshot.alive), np.inf, np.float32)
    if not len(snapshot.player_position_m):
        return soonest_s
    x, y, z = columns(snapshot.position_m)
    vx, vy, vz = columns(snapshot.velocity_mps)
    slowest = assumed.turn_fraction * (snapshot.player_max_speed_mps + snapshot.npc_max_speed_mps)
    silent_s = np.where(snapshot.in_conversation, 0.0, snapshot.game_time_s - snapshot.last_call_s)
    talking = snapshot.alive & (silent_s <= assumed.follow_up_s)
    # Players are few: a loop over them keeps every temporary at N floats, inside the cache.
    for place_m, speed_mps in zip(
        snapshot.player_position_m, snapshot.player_velocity_mps, strict=True
    ):
        offset_m = (x - place_m[0], y - place_m[1], z - place_m[2])
        approach_mps = (speed_mps[0] - vx, speed_mps[1] - vy, speed_mps[2] - vz)
        time_s = time_to_reach_s(offset_m, approach_mps, snapshot.interaction_radius_m, slowest)
        busy = talking & (time_s == 0.0)
        if busy.any():
            time_s[~talking] += np.float32(assumed.follow_up_s - silent_s[busy].min())
        np.minimum(soonest_s, time_s, out=soonest_s)
    rest_s = np.where(silent_s > assumed.follow_up_s, assumed.talk_cooldown_s - silent_s, 0.0)
    return np.maximum(soonest_s, rest_s.astype(np.float32))


def time_in_reach_s(snapshot: Snapshot) -> NDArray[np.float32]:
    """(N,) float32 seconds until a player could be in reach at full speed; 0 while one is.

    The strict bound: whoever turns round is no surprise to it, and a crowd all the more.
    """
    soonest_s = np.full(len(snapshot.alive), np.inf, np.float32)
    x, y, z = columns(snapshot.position_m)
    still = np.zeros_like(x)
    fastest_mps = snapshot.player_max_speed_mps + snapshot.npc_max_speed_mps
    for place_m in snapshot.player_position_m:
        offset_m = (x - place_m[0], y - place_m[1], z - place_m[2])
        np.minimum(
            soonest_s,
            time_to_reach_s(
                offset_m, (still, still, still), snapshot.interaction_radius_m, fastest_mps
            ),
            out=soonest_s,
        )
    return soonest_s
