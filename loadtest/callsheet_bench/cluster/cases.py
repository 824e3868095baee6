"""Cases that the simulation plays: each a question, and its answer good or bad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_bench.cluster.simulation import Outcome, Route, home_of_all, simulate
from callsheet_bench.cluster.workload import Crowd

__all__ = ["Row", "cases", "play"]

CALLS_PER_S = 24.0
"""Of one replica: at 50 ms a miss, one that misses always is overloaded."""
SECONDS = 60.0
ADAPTERS = 160


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    case: str
    policy: str
    replicas: int
    npcs: int
    play: Callable[[int], Outcome]
    """Seed -> outcome."""


def cases(replicas: int, npcs: int) -> Iterator[Row]:
    """All questions, for a cluster of this size."""
    even = np.full(npcs, 1.0 / npcs)

    def crowd(predictability: float, popularity: NDArray[np.float64] = even) -> Crowd:
        return Crowd(npcs, CALLS_PER_S * replicas, SECONDS, predictability, popularity)

    def row(
        case: str,
        route: Route,
        *,
        by_distance: bool,
        predictability: float = 0.8,
        adapter_of: NDArray[np.intp] | None = None,
        homes: NDArray[np.int16] | None = None,
        popularity: NDArray[np.float64] = even,
        policy: str | None = None,
    ) -> Row:
        kept = "distances" if by_distance else "LRU"

        def play_it(seed: int) -> Outcome:
            return simulate(
                crowd(predictability, popularity),
                replicas,
                route,
                by_distance=by_distance,
                seed=seed,
                adapter_of=adapter_of,
                homes=homes,
            )

        return Row(case, policy or f"{route} + {kept}", replicas, npcs, play_it)

    yield row("where calls go", "round robin", by_distance=False)
    yield row("where calls go", "least loaded", by_distance=False)
    yield row("where calls go", "hash", by_distance=False)
    yield row("where calls go", "hash", by_distance=True)
    yield row("where calls go", "placed", by_distance=True)
    yield row("30 % seen coming", "hash", by_distance=False, predictability=0.3)
    yield row("30 % seen coming", "placed", by_distance=True, predictability=0.3)

    weights = 1.0 / np.arange(1, ADAPTERS + 1)
    draw = np.random.default_rng(0)
    adapter_of = draw.choice(ADAPTERS, npcs, p=weights / weights.sum())
    case = f"{ADAPTERS} adapters on 8 slots"
    plain = home_of_all(npcs, replicas, "placed", None)
    yield row(case, "placed", by_distance=True, adapter_of=adapter_of, homes=plain, policy="by NPC")
    yield row(case, "hash", by_distance=True, adapter_of=adapter_of, policy="hash of the adapter")
    yield row(case, "placed", by_distance=True, adapter_of=adapter_of, policy="placed by adapter")

    world_of = np.arange(npcs) % replicas
    weight = 1.0 / (1.0 + world_of)
    fame = (weight / weight.sum()).astype(np.float64)
    own = world_of.astype(np.int16)
    case = "worlds of unlike fame"
    yield row(
        case, "placed", by_distance=True, homes=own, popularity=fame, policy="a replica per world"
    )
    yield row(case, "placed", by_distance=True, popularity=fame, policy="one pool")


def play(row: Row, seeds: int) -> Outcome:
    """The medians over seeds."""
    outcomes = [row.play(seed) for seed in range(1, seeds + 1)]
    return Outcome(
        *(
            float(np.median([getattr(outcome, name) for outcome in outcomes]))
            for name in Outcome.__dataclass_fields__
        )
    )
