"""Small snapshots for estimator tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from callsheet_server.world.snapshot import Snapshot

NAN = float("nan")
INF = float("inf")


def snapshot(npcs: int = 1, players: int = 0, **given: Any) -> Snapshot:
    """NPCs and players at the origin, standing, without plans; ``given`` replaces columns."""
    columns: dict[str, Any] = {
        "alive": np.ones(npcs, np.bool_),
        "handle": np.arange(1, npcs + 1, dtype=np.uint32),
        "position_m": np.zeros((npcs, 3), np.float32),
        "velocity_mps": np.zeros((npcs, 3), np.float32),
        "interaction_radius_m": np.full(npcs, 2.0, np.float32),
        "sociability": np.zeros(npcs, np.float32),
        "scheduled_call_s": np.full(npcs, NAN),
        "in_conversation": np.zeros(npcs, np.bool_),
        "last_call_s": np.full(npcs, NAN),
        "player_position_m": np.zeros((players, 3), np.float32),
        "player_velocity_mps": np.zeros((players, 3), np.float32),
    }
    scalars: dict[str, Any] = {
        "game_time_s": 1000.0,
        "player_max_speed_mps": 6.0,
        "npc_max_speed_mps": 2.0,
    }
    for name, value in given.items():
        if name in columns:
            shape, dtype = columns[name].shape, columns[name].dtype
            columns[name] = np.broadcast_to(np.array(value, dtype), shape).copy()
        else:
            scalars[name] = value
    return Snapshot(**columns, **scalars)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Any snapshot the world may hand out, the absurd ones included."""
    npcs, players = draw(st.integers(0, 12)), draw(st.integers(0, 3))
    far = st.floats(-1e6, 1e6, width=32)
    place = st.one_of(st.sampled_from([0.0, 1.0, 3.0]), far)
    now_s = draw(st.sampled_from([0.0, 1000.0, 1e7]))

    def column(strategy: st.SearchStrategy[Any], *shape: int) -> Any:
        count = int(np.prod(shape))
        return np.reshape(draw(st.lists(strategy, min_size=count, max_size=count)), shape)

    past = st.one_of(st.just(NAN), st.floats(0.0, 500.0).map(lambda ago: now_s - ago))
    due = st.one_of(st.just(NAN), st.floats(-500.0, 500.0).map(lambda left: now_s + left))
    return snapshot(
        npcs,
        players,
        game_time_s=now_s,
        alive=column(st.booleans(), npcs),
        position_m=column(place, npcs, 3),
        velocity_mps=column(st.floats(-100, 100, width=32), npcs, 3),
        interaction_radius_m=column(st.sampled_from([0.0, 2.0, 1e4]), npcs),
        sociability=column(st.sampled_from([0.0, 1e-6, 0.5, 1.0]), npcs),
        scheduled_call_s=column(due, npcs),
        in_conversation=column(st.booleans(), npcs),
        last_call_s=column(past, npcs),
        player_position_m=column(place, players, 3),
        player_velocity_mps=column(st.floats(-100, 100, width=32), players, 3),
        npc_max_speed_mps=draw(st.sampled_from([0.0, 2.0])),
    )
