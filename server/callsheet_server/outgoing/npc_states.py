"""``npc_states`` written straight from the columns: the one message that grows with the world.

Five thousand models would be built and read once; here they are never built.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson

from callsheet_residency.state import Tier
from callsheet_server.distance import Distances, Estimator
from callsheet_server.outgoing.views import TIER_NAMES, estimator_name
from callsheet_server.world.world import World

__all__ = ["npc_states"]

MAX_LISTS_BYTES = 63_000
"""Bytes of NPCs and players in one part; the fields beside them take less than 200."""
ESTIMATOR_NAMES = tuple(estimator_name(estimator) for estimator in Estimator)


def npc_states(
    world: World, distances: Distances | None, prefixes: Sequence[tuple[Tier, int | None]]
) -> Iterator[tuple[int, bytes]]:
    """Everyone's place, distance and tier, as encoded ``NpcStates``, each with its part's number.

    Args:
        world: the NPCs and players.
        distances: of the last tick; None before the first.
        prefixes: where the prefix of each NPC lies and its bytes, in the order of ``world.npcs``.
    """
    parts: list[dict[str, list[orjson.Fragment]]] = [{"npcs": [], "players": []}]
    room_bytes = MAX_LISTS_BYTES
    states = ("npcs", _npcs(world, distances, prefixes)), ("players", _players(world))
    for kind, of_kind in states:
        for state in of_kind:
            encoded = orjson.dumps(state)
            room_bytes -= len(encoded) + 1
            if room_bytes < 0:
                parts.append({"npcs": [], "players": []})
                room_bytes = MAX_LISTS_BYTES - len(encoded) - 1
            parts[-1][kind].append(orjson.Fragment(encoded))
    head = {"type": "npc_states", "game_time_s": world.game_time_s}
    for part, lists in enumerate(parts):
        yield part, orjson.dumps(head | {"part": part, "parts": len(parts)} | lists)


def _npcs(
    world: World, distances: Distances | None, prefixes: Sequence[tuple[Tier, int | None]]
) -> Iterator[dict[str, Any]]:
    npcs, columns = list(world.npcs.values()), world.columns
    rows = np.fromiter((npc.row for npc in npcs), np.intp, len(npcs))
    distance_s = np.full(columns.rows, np.inf)
    winner = np.full(columns.rows, Estimator.NONE, np.uint8)
    if distances is not None:
        # Whoever came after the last tick has none yet.
        known = slice(len(distances.distance_s))
        distance_s[known], winner[known] = distances.distance_s, distances.winner
    for npc, position, call_s, estimator, (tier, size_bytes), turns, radius_m, last_call_s in zip(
        npcs,
        # To the millimetre: nobody sees more, and float32 in decimal is long.
        columns.position_m[rows].astype(np.float64).round(3).tolist(),
        distance_s[rows].round(3).tolist(),
        winner[rows].tolist(),
        prefixes,
        columns.open_turns[rows].tolist(),
        columns.interaction_radius_m[rows].astype(np.float64).round(3).tolist(),
        columns.last_call_s[rows].round(3).tolist(),
        strict=True,
    ):
        state = {"npc": npc.spec.npc, "handle": npc.handle, "position": position}
        if call_s != math.inf:
            state |= {"distance_s": call_s, "estimator": ESTIMATOR_NAMES[estimator]}
        state |= {
            "tier": TIER_NAMES[tier],
            "in_conversation": turns > 0,
            "name": npc.spec.name,
            "interaction_radius_m": radius_m,
        }
        if size_bytes is not None:
            state["bytes"] = size_bytes
        if not math.isnan(last_call_s):
            state["last_call_s"] = last_call_s
        yield state


def _players(world: World) -> Iterator[dict[str, Any]]:
    for name, player in world.players.items():
        if player.present:
            position = player.position_m.astype(np.float64).round(3).tolist()
            yield {
                "player": name,
                "handle": player.handle,
                "position": position,
                "name": player.spec.name,
            }
