from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.tools.profile.capacity import capacity, stack_distance_bytes
from callsheet_server.tools.simulation.town_trace import record_town
from callsheet_server.tools.town.simulation import TownSimulation

SIZES = [10, 20, 40, 80]


def test_stack_distances_by_hand() -> None:
    found = stack_distance_bytes([0, 1, 0, 0, 2, 1], SIZES)
    assert found.tolist() == [np.inf, np.inf, 30.0, 10.0, np.inf, 70.0]


@given(st.lists(st.integers(0, 3), max_size=60))
def test_stack_distances_count_who_called_since(rows: list[int]) -> None:
    for position, (row, found) in enumerate(
        zip(rows, stack_distance_bytes(rows, SIZES).tolist(), strict=True)
    ):
        before = rows[:position]
        if row not in before:
            assert found == np.inf
            continue
        last = position - 1 - before[::-1].index(row)
        assert found == sum(SIZES[other] for other in {*rows[last:position], row})


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 4))
def test_with_equal_sizes_the_curve_is_that_of_an_lru_cache(rows: list[int], slots: int) -> None:
    cache: list[int] = []
    hits = []
    for row in rows:
        hits.append(row in cache)
        cache = ([row] + [other for other in cache if other != row])[:slots]
    found = stack_distance_bytes(rows, [10] * 4) <= 10 * slots
    assert found.tolist() == hits


def test_the_budget_found_reaches_the_wanted_hit_rate() -> None:
    trace = record_town(TownSimulation(npcs=24, players=2, seed=3), seconds=120.0, tick_s=0.5)
    found = capacity(trace, 0.8)
    assert found.wanted_bytes is not None
    rate = dict(zip(found.budget_bytes, found.hit_rate, strict=True))
    assert rate[found.wanted_bytes] >= 0.8
    assert found.budget_bytes == sorted(found.budget_bytes)
    assert all(a <= b for a, b in zip(found.lru_hit_rate, found.lru_hit_rate[1:], strict=False))
    assert found.lru_hit_rate[0] == 0.0
