"""What observers are told, as messages that fit the size the protocol promises."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final, TypeVar

import numpy as np

from callsheet.wire.fields import TierName
from callsheet.wire.observe import (
    EstimatorView,
    Explanation,
    Move,
    Moves,
    NpcState,
    NpcStates,
    PlayerState,
    TierStats,
    TtftStats,
)
from callsheet_server.distance import Distances, Estimator
from callsheet_server.distance import Explanation as DistanceExplanation
from callsheet_server.engine.engine import Occupancy
from callsheet_server.residency.state import Tier
from callsheet_server.world.world import World

__all__ = [
    "TIER_NAMES",
    "distance_of",
    "explanation",
    "moves",
    "npc_states",
    "tier_stats",
    "ttft_stats",
]

NPCS_PART_BYTES = 44_000
"""Of the NPC states in one message."""
PLAYERS_PART_BYTES = 18_000
"""Of its player states; both together stay under 64,000 bytes."""
NPC_STATE_BYTES = 520
"""At most, without the name."""
PLAYER_STATE_BYTES = 230
"""At most, without the name."""
NAME_CHAR_BYTES = 6
"""A character of a name at its longest: \\u0007."""
MOVES_PER_MESSAGE = 36
"""Moves in one message: at most 1,700 bytes each."""
S = TypeVar("S", NpcState, PlayerState)
TIER_NAMES: Final[dict[Tier, TierName]] = {
    Tier.DEVICE: "device",
    Tier.HOST: "host",
    Tier.DISK: "disk",
    Tier.ABSENT: "absent",
}


def distance_of(distances: Distances | None, row: int) -> tuple[float | None, str | None]:
    """A row's distance and the estimator that set it; an NPC newer than the last tick has none."""
    if distances is None or row >= len(distances.distance_s):
        return None, None
    return finite(float(distances.distance_s[row])), estimator_name(int(distances.winner[row]))


def finite(value: float) -> float | None:
    """JSON has no infinity: no expectation is None."""
    return value if math.isfinite(value) else None


def estimator_name(estimator: int) -> str | None:
    """The name on the wire; None if no estimator expects a call."""
    return None if estimator == Estimator.NONE else Estimator(estimator).name.lower()


def npc_states(
    world: World, distances: Distances | None, prefixes: Sequence[tuple[Tier, int | None]]
) -> Iterator[NpcStates]:
    """Everyone's place, distance and tier, in parts.

    Args:
        world: the NPCs and players.
        distances: of the last tick; None before the first.
        prefixes: where the prefix of each NPC lies and its bytes, in the order of ``world.npcs``.
    """
    columns = world.columns
    states = []
    for npc, (tier, size_bytes) in zip(world.npcs.values(), prefixes, strict=True):
        distance_s, estimator = distance_of(distances, npc.row)
        states.append(
            NpcState(
                npc=npc.spec.npc,
                handle=npc.handle,
                position=_vector(columns.position_m[npc.row]),
                distance_s=distance_s,
                estimator=estimator,
                tier=TIER_NAMES[tier],
                in_conversation=bool(columns.open_turns[npc.row] > 0),
                name=npc.spec.name,
                interaction_radius_m=float(columns.interaction_radius_m[npc.row]),
                bytes=size_bytes,
                last_call_s=finite(float(columns.last_call_s[npc.row])),
            )
        )
    players = [
        PlayerState(player=name, handle=p.handle, position=_vector(p.position_m), name=p.spec.name)
        for name, p in world.players.items()
        if p.present
    ]
    parts = list(
        zip_longest(
            _chunks(states, NPCS_PART_BYTES, NPC_STATE_BYTES),
            _chunks(players, PLAYERS_PART_BYTES, PLAYER_STATE_BYTES),
            fillvalue=(),
        )
    )
    for part, (npcs_here, players_here) in enumerate(parts):
        yield NpcStates(
            game_time_s=world.game_time_s,
            part=part,
            parts=len(parts),
            npcs=tuple(npcs_here),
            players=tuple(players_here),
        )


def moves(game_time_s: float, done: Sequence[Move], dropped: int) -> Iterator[Moves]:
    """State moves, in messages."""
    for start in range(0, len(done), MOVES_PER_MESSAGE):
        yield Moves(
            game_time_s=game_time_s,
            moves=tuple(done[start : start + MOVES_PER_MESSAGE]),
            dropped=dropped if start == 0 else 0,
        )


def explanation(
    request: int, npc: str, game_time_s: float, tier: Tier, found: DistanceExplanation
) -> Explanation:
    """Why an NPC has its distance."""
    return Explanation(
        id=request,
        npc=npc,
        game_time_s=game_time_s,
        distance_s=finite(found.distance_s),
        estimator=estimator_name(found.winner),
        tier=TIER_NAMES[tier],
        estimators=tuple(
            EstimatorView(
                name=estimator.name.lower(),
                distance_s=finite(value_s),
                why=found.why[estimator],
            )
            for estimator, value_s in found.value_s.items()
        ),
    )


def ttft_stats(replies: int, samples_s: Sequence[float]) -> TtftStats:
    """How many replies there were, with percentiles of the latest ones' times to first token."""
    if not samples_s:
        return TtftStats(replies=replies)
    p50_s, p95_s = np.percentile(np.array(samples_s), [50, 95])
    return TtftStats(replies=replies, p50_s=float(p50_s), p95_s=float(p95_s))


def tier_stats(occupancy: Occupancy) -> tuple[TierStats, ...]:
    """Tier use, kind by kind."""
    return tuple(
        TierStats(
            kind=use.kind.value,
            tier=TIER_NAMES[use.tier],
            used_bytes=use.used_bytes,
            budget_bytes=use.budget_bytes,
            items=use.items,
        )
        for use in occupancy.tiers
    )


def _chunks(states: Sequence[S], chunk_bytes: int, state_bytes: int) -> list[list[S]]:
    """Split so that each chunk stays below ``chunk_bytes``; at least one, which may be empty."""
    chunks: list[list[S]] = [[]]
    left = chunk_bytes
    for state in states:
        size = state_bytes + NAME_CHAR_BYTES * len(state.name or "")
        if size > left:
            chunks.append([])
            left = chunk_bytes
        chunks[-1].append(state)
        left -= size
    return chunks


def _vector(array: np.ndarray) -> tuple[float, float, float]:
    """To the millimetre: nobody sees more, and float32 in decimal is long."""
    x, y, z = array.tolist()
    return round(x, 3), round(y, 3), round(z, 3)
