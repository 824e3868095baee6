from __future__ import annotations

import numpy as np
from distance.calling import ticks

from callsheet_server.distance import Assumptions, Estimator, Forecast
from callsheet_server.distance.chains import MAX_SUCCESSORS, Chains


def test_who_follows_is_told_with_the_chance_that_they_do() -> None:
    chains, hints = Chains(), []
    for turn in range(10):
        hints = chains.began(1, 100.0 * turn)
        chains.began(2, 100.0 * turn + 3.0)
    assert [follower for follower, _ in hints] == [2]
    assert 0.7 < hints[0][1] <= 1.0


def test_what_follows_by_chance_alone_is_no_hint() -> None:
    chains = Chains()
    for turn in range(50):
        for caller in (1, 2, 3):
            hints = chains.began(caller if turn % 2 else 4 - caller, 20.0 * turn + 2.0 * caller)
    assert max(chance for _, chance in hints) < 0.7
    draw, chains, told = np.random.default_rng(3), Chains(), []
    for turn, caller in enumerate(draw.integers(40, size=2_000).tolist()):
        told.append(len(chains.began(caller, 2.0 * turn)))
    assert np.mean(told) < 0.5


def test_one_coincidence_among_many_calls_is_hardly_a_hint() -> None:
    """B was followed by five others once: none of them is expected after its next call."""
    chains = Chains()
    for caller in range(100):
        chains.began(caller, 1.5 * caller)
    assert max(chance for _, chance in chains.began(50, 200.0)) < 0.1


def test_successors_are_bounded_and_the_frequent_one_stays() -> None:
    chains = Chains()
    for turn in range(400):
        chains.began(1, 100.0 * turn)
        chains.began(2 if turn % 2 else 100 + turn, 100.0 * turn + 1.0)
    followers = chains.followers()[1]
    assert len(followers) <= MAX_SUCCESSORS
    assert max(followers, key=followers.__getitem__) == 2


def test_a_world_with_chains_learns_to_expect_the_next_link() -> None:
    """After A has called, B's distance is small, and C's, who follows nobody, is not."""
    calls = {0: [40.0 * n for n in range(1, 20)], 1: [40.0 * n + 3.0 for n in range(1, 19)]}
    draw = np.random.default_rng(2)
    calls |= {row: sorted(draw.uniform(0, 780, 12).tolist()) for row in range(2, 12)}
    forecast = Forecast(Assumptions())
    for seen in ticks(12, calls, 19 * 40.0 + 2.0):
        made = forecast.estimate(seen)
    assert made.winner[1] == Estimator.CHAIN
    waiting = [row for row in range(2, 12) if made.winner[row] != Estimator.CONVERSATION]
    assert made.distance_s[1] < made.distance_s[waiting].min()
