"""The simulation of large clusters, small."""

from __future__ import annotations

import numpy as np

from callsheet_bench.cluster.cases import cases
from callsheet_bench.cluster.simulation import Route, home_of_all, simulate
from callsheet_bench.cluster.workload import Crowd, draw_calls


def crowd(npcs: int = 4_000, calls_per_s: float = 48.0, predictability: float = 0.8) -> Crowd:
    return Crowd(npcs, calls_per_s, 30.0, predictability, np.full(npcs, 1.0 / npcs))


def test_calls_come_at_the_rate_asked_for_and_distances_tell_of_them() -> None:
    calls = draw_calls(crowd(predictability=1.0), seed=1)
    assert (np.diff(calls.at_s) >= 0).all()
    assert 0.6 * 48 * 30 < len(calls.at_s) < 1.2 * 48 * 30
    distance_s = calls.distances(10.0, 4_000)
    coming = (calls.begin_s > 10.0) & (calls.begin_s < 20.0)
    assert (distance_s[calls.who[coming]] <= 10.0).all()
    assert draw_calls(crowd(), seed=1).npc.tolist() == draw_calls(crowd(), seed=1).npc.tolist()


def test_distances_beat_age_and_homes_beat_none() -> None:
    def hits(route: Route, by_distance: bool) -> float:
        return simulate(crowd(), 2, route, by_distance=by_distance, seed=1).device_hits

    assert hits("placed", True) > hits("placed", False) + 0.1
    assert abs(hits("placed", False) - hits("hash", False)) < 0.02
    assert hits("hash", False) > hits("round robin", False)


def test_adapters_are_found_where_they_are_at_home() -> None:
    adapter_of = np.arange(4_000) % 16
    homes = {
        policy: home_of_all(4_000, 2, "placed", adapter_of if policy == "adapter" else None)
        for policy in ("npc", "adapter")
    }
    found = {
        policy: simulate(
            crowd(), 2, "placed", by_distance=True, seed=1, adapter_of=adapter_of, homes=home
        )
        for policy, home in homes.items()
    }
    assert found["adapter"].adapter_hits > 0.95 > found["npc"].adapter_hits
    assert found["adapter"].spread < 1.3


def test_every_case_is_a_row() -> None:
    rows = list(cases(2, 400))
    assert len({(row.case, row.policy) for row in rows}) == len(rows) == 12
