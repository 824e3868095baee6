"""What is learned is worth having from the first call on, and is given up when a game changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from callsheet_server.distance import forecast
from callsheet_server.residency.policies import DISTANCE
from callsheet_server.tools.simulation import Links, SimulationReport, TierBudgets, simulate
from callsheet_server.trace.generators import Generated
from callsheet_server.trace.generators.callers import chains, periodic, poisson
from callsheet_server.trace.generators.places import few_popular
from callsheet_server.trace.trace import Trace

NEVER = 1_000_000
A_POINT = 0.01


def played(trace: Trace, share: float = 0.25) -> SimulationReport:
    size = sum(npc.size_bytes for npc in trace.npcs)
    return simulate(trace, DISTANCE, TierBudgets(int(share * size), size), Links())


@pytest.mark.parametrize(
    "make",
    [
        lambda: poisson(31, npcs=60, seconds=240.0, gap_s=40.0),
        lambda: periodic(32, npcs=60, seconds=240.0, gap_s=40.0),
        lambda: chains(33, npcs=60, seconds=240.0, start_gap_s=40.0),
        lambda: few_popular(34, npcs=60, players=6, seconds=120.0),
    ],
    ids=["poisson", "periodic", "chains", "few popular"],
)
def test_while_it_learns_it_is_no_worse_than_the_smallest_estimate(
    make: Callable[[], Generated], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first call on, in the first minutes of a world, to within a point."""
    trace = make().trace
    learned = played(trace)
    monkeypatch.setattr(forecast, "ENOUGH_CALLS", NEVER)
    smallest = played(trace)
    assert learned.calls == smallest.calls > 40
    assert learned.hit_rate >= smallest.hit_rate - A_POINT
