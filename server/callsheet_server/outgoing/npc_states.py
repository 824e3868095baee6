"""``npc_states`` written straight from the columns: the one message that grows with the world.

Five thousand models would be built and read once; here they are never built. A large world is
encoded a few NPCs at a time, so that others get their turn in between.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import orjson

from callsheet_residency.state import Tier
from callsheet_server.distance import Distances, Estimator
from callsheet_server.outgoing.views import TIER_NAMES, estimator_name
from callsheet_server.world.world import Npc, World

__all__ = ["StatesView"]

MAX_LISTS_BYTES = 63_000
"""Bytes of NPCs and players in one part; the fields beside them take less than 200."""
ESTIMATOR_NAMES = tuple(estimator_name(estimator) for estimator in Estimator)


class StatesView:
    """Everyone's place, distance and tier at one moment, as encoded ``NpcStates``."""

    def __init__(
        self,
        world: World,
        distances: Distances | None,
        prefix: Callable[[str], tuple[Tier, int | None]],
    ) -> None:
        """Take down the moment; nothing is encoded yet.

        Args:
            world: the NPCs and players.
            distances: of the last tick; None before the first.
            prefix: tells where the prefix of an NPC lies, and its bytes.
        """
        columns, rows = world.columns, world.columns.rows
        self.world = world
        self._prefix = prefix
        self._npcs = list(world.npcs.values())
        self._encoded = 0
        self._game_time_s = world.game_time_s
        self._players = list(_players(world))
        self._position_m = columns.position_m[:rows].copy()
        self._open_turns = columns.open_turns[:rows].copy()
        self._radius_m = columns.interaction_radius_m[:rows].copy()
        self._last_call_s = columns.last_call_s[:rows].copy()
        self._distance_s = np.full(rows, np.inf)
        self._winner = np.full(rows, Estimator.NONE, np.uint8)
        if distances is not None:
            # Whoever came after the last tick has none yet.
            known = slice(len(distances.distance_s))
            self._distance_s[known], self._winner[known] = distances.distance_s, distances.winner
        self._parts: list[dict[str, list[orjson.Fragment]]] = []
        self._room_bytes = 0

    def encode(self, max_npcs: int) -> int:
        """Encode so many more NPCs, or all that are left; return how many."""
        npcs = self._npcs[self._encoded : self._encoded + max_npcs]
        self._encoded += len(npcs)
        for state in self._states(npcs):
            self._add("npcs", state)
        return len(npcs)

    @property
    def is_done(self) -> bool:
        """True if all NPCs are encoded."""
        return self._encoded == len(self._npcs)

    def frames(self) -> list[bytes]:
        """The messages, in the order of their parts. To be called once, when all are encoded."""
        for player in self._players:
            self._add("players", player)
        parts = self._parts or [_empty_part()]
        head = {"type": "npc_states", "game_time_s": self._game_time_s}
        return [
            orjson.dumps(head | {"part": part, "parts": len(parts)} | lists)
            for part, lists in enumerate(parts)
        ]

    def _add(self, kind: str, state: dict[str, Any]) -> None:
        # In its own size: orjson's results keep a buffer of 4 KiB.
        encoded = bytes(memoryview(orjson.dumps(state)))
        self._room_bytes -= len(encoded) + 1
        if self._room_bytes < 0:
            self._parts.append(_empty_part())
            self._room_bytes = MAX_LISTS_BYTES - len(encoded) - 1
        self._parts[-1][kind].append(orjson.Fragment(encoded))

    def _states(self, npcs: Sequence[Npc]) -> Iterator[dict[str, Any]]:
        rows = np.fromiter((npc.row for npc in npcs), np.intp, len(npcs))
        for npc, position, call_s, estimator, turns, radius_m, last_call_s in zip(
            npcs,
            # To the millimetre: nobody sees more, and float32 in decimal is long.
            self._position_m[rows].astype(np.float64).round(3).tolist(),
            self._distance_s[rows].round(3).tolist(),
            self._winner[rows].tolist(),
            self._open_turns[rows].tolist(),
            self._radius_m[rows].astype(np.float64).round(3).tolist(),
            self._last_call_s[rows].round(3).tolist(),
            strict=True,
        ):
            state = {"npc": npc.spec.npc, "handle": npc.handle, "position": position}
            if call_s != math.inf:
                state |= {"distance_s": call_s, "estimator": ESTIMATOR_NAMES[estimator]}
            tier, size_bytes = self._prefix(npc.spec.npc)
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


def _empty_part() -> dict[str, list[orjson.Fragment]]:
    return {"npcs": [], "players": []}


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
