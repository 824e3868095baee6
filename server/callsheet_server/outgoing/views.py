"""Messages to observers, each within the size the protocol promises."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from callsheet.wire.fields import TierName
from callsheet.wire.observe import (
    ChanceStats,
    EstimatorView,
    Explanation,
    ForecastStats,
    Move,
    Moves,
    RememberedLine,
    ReplicaStats,
    SourceStats,
    TierStats,
    TtftStats,
)
from callsheet_residency.state import Tier
from callsheet_server.distance import BANDS, HORIZONS_S, Distances, Estimator, Record
from callsheet_server.distance import Explanation as DistanceExplanation
from callsheet_server.engine.engine import Occupancy
from callsheet_server.world.memory import Turn

__all__ = [
    "TIER_NAMES",
    "distance_of",
    "explanation",
    "forecast_stats",
    "moves",
    "replica_stats",
    "tier_stats",
    "ttft_stats",
]

MAX_REMEMBERED: Final = 8
"""Turns told of an NPC's memory."""
MAX_REMEMBERED_CHARS: Final = 300
MOVES_PER_MESSAGE = 36
"""Moves in one message: at most 1,700 bytes each."""
MOST_SOONEST: Final = 8
"""NPCs that are named per replica."""
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
    """Write +inf, no expectation, as None: JSON has no infinity."""
    return value if math.isfinite(value) else None


def estimator_name(estimator: int) -> str | None:
    """The name on the wire; None if no estimator expects a call."""
    return None if estimator == Estimator.NONE else Estimator(estimator).name.lower()


def moves(game_time_s: float, done: Sequence[Move], dropped: int) -> Iterator[Moves]:
    """State moves, in messages."""
    for start in range(0, len(done), MOVES_PER_MESSAGE):
        yield Moves(
            game_time_s=game_time_s,
            moves=tuple(done[start : start + MOVES_PER_MESSAGE]),
            dropped=dropped if start == 0 else 0,
        )


def explanation(
    request: int,
    npc: str,
    game_time_s: float,
    tier: Tier,
    found: DistanceExplanation,
    note: str | None,
    remembers: Sequence[Turn],
) -> Explanation:
    """Explanation of an NPC's distance and its latest turns, as a message."""
    return Explanation(
        id=request,
        npc=npc,
        game_time_s=game_time_s,
        distance_s=finite(found.distance_s),
        estimator=estimator_name(found.winner),
        tier=TIER_NAMES[tier],
        note=note,
        estimators=tuple(
            EstimatorView(
                name=estimator.name.lower(),
                distance_s=finite(value_s),
                why=found.why[estimator],
            )
            for estimator, value_s in found.value_s.items()
        ),
        remembers=tuple(
            RememberedLine(speaker=turn.speaker, text=turn.text[:MAX_REMEMBERED_CHARS])
            for turn in remembers[-MAX_REMEMBERED:]
        )
        or None,
        outlook=found.outlook,
    )


def forecast_stats(record: Record) -> ForecastStats | None:
    """A forecast's word against what came; None = nothing is known yet."""
    if not record.looks.any():
        return None
    return ForecastStats(
        chances=tuple(
            ChanceStats(
                within_s=within_s,
                band=band,
                looks=int(record.looks[row, column]),
                said=round(float(record.said[row, column]), 3),
                came=int(record.came[row, column]),
            )
            for row, within_s in enumerate(HORIZONS_S)
            for column, band in enumerate(BANDS)
        ),
        callers=record.callers,
        foremost=record.foremost,
        sources=tuple(
            SourceStats(name=source.name.lower(), foremost=foremost)
            for source, foremost in record.foremost_without.items()
        ),
    )


def ttft_stats(replies: int, samples_s: Sequence[float]) -> TtftStats:
    """Number of replies, with percentiles of the latest ones' times to first token."""
    if not samples_s:
        return TtftStats(replies=replies)
    p50_s, p95_s = np.percentile(np.array(samples_s), [50, 95])
    return TtftStats(replies=replies, p50_s=float(p50_s), p95_s=float(p95_s))


def replica_stats(occupancy: Occupancy, world: str) -> tuple[ReplicaStats, ...] | None:
    """Load of an engine's replicas, and who of a world is there; None = it has none."""
    return (
        tuple(
            ReplicaStats(
                name=load.name,
                state=load.state,
                npcs=load.npcs,
                arriving=load.arriving,
                running=load.running,
                queued=load.queued,
                replies=load.replies,
                device_hits=load.device_hits,
                soonest=tuple(key.npc for key in load.soonest if key.world == world)[:MOST_SOONEST],
            )
            for load in occupancy.replicas
        )
        or None
    )


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
