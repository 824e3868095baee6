"""Learning costs no hits while it goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from callsheet_server.distance import forecast
from callsheet_server.residency.policies import DISTANCE
from callsheet_server.tools.simulation import Links, TierBudgets, simulate
from callsheet_server.trace.generators import Generated
from callsheet_server.trace.generators.callers import chains, periodic, poisson
from callsheet_server.trace.trace import Trace

NEVER = 1_000_000
A_POINT = 0.01
SHARES = (0.1, 0.25, 0.5)


def hit_rate(trace: Trace) -> float:
    """Mean over the shares of the prefixes that have room."""
    size, rate = sum(npc.size_bytes for npc in trace.npcs), 0.0
    for share in SHARES:
        report = simulate(trace, DISTANCE, TierBudgets(int(share * size), size), Links())
        rate += report.hit_rate / len(SHARES)
    return rate


@pytest.mark.parametrize(
    "make",
    [
        lambda: poisson(35, npcs=80, seconds=150.0, gap_s=40.0),
        lambda: periodic(32, npcs=60, seconds=150.0, gap_s=40.0),
        lambda: chains(33, npcs=60, seconds=150.0, start_gap_s=40.0),
    ],
    ids=["poisson", "periodic", "chains"],
)
def test_while_it_learns_it_is_no_worse_than_the_smallest_estimate(
    make: Callable[[], Generated], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first minutes of a world, from the first call on, to within a point."""
    trace = make().trace
    assert len(trace.calls) > 100
    learned = hit_rate(trace)
    monkeypatch.setattr(forecast, "ENOUGH_CALLS", NEVER)
    assert learned >= hit_rate(trace) - A_POINT
