from __future__ import annotations

import pytest

from callsheet_sglang.kv.pace import AGREE_EVERY_ITERATIONS, ASSUMED_TOKENS_PER_S, Pace


def alone(values: list[float]) -> list[float]:
    return values


def iterate(pace: Pace, times: int, took_s: float, busy: bool = True) -> None:
    for number in range(times):
        pace.begin_iteration(number * took_s, busy, alone)


def test_what_is_measured_counts_once_all_ranks_have_agreed() -> None:
    pace = Pace()
    for _ in range(50):
        pace.observe_load(1000, 0.001)
    assert pace.link_tokens_per_s == ASSUMED_TOKENS_PER_S
    iterate(pace, AGREE_EVERY_ITERATIONS, 0.004)
    assert pace.link_tokens_per_s > 3 * ASSUMED_TOKENS_PER_S
    assert pace.link_is_known
    assert pace.load_s(1000) == pytest.approx(1000 / pace.link_tokens_per_s)


def test_the_slowest_rank_counts() -> None:
    first, second = Pace(), Pace()
    for _ in range(50):
        first.observe_load(1000, 0.001)
    told = [[ASSUMED_TOKENS_PER_S, 0.02, 0.0]]

    def smallest(values: list[float]) -> list[float]:
        return [min(pair) for pair in zip(values, told[0], strict=True)]

    for pace in (first, second):
        for number in range(AGREE_EVERY_ITERATIONS):
            pace.begin_iteration(0.03 * number, True, smallest)
    assert first.link_tokens_per_s == second.link_tokens_per_s == ASSUMED_TOKENS_PER_S
    assert first.pass_s == second.pass_s == 0.02
    assert not first.link_is_known  # The other rank has loaded nothing.


def test_a_pass_is_a_busy_iteration() -> None:
    pace = Pace()
    iterate(pace, 10 * AGREE_EVERY_ITERATIONS, 0.005)
    assert pace.pass_s == pytest.approx(0.005, rel=0.01)
    iterate(pace, 10 * AGREE_EVERY_ITERATIONS, 0.5, busy=False)
    assert pace.pass_s == pytest.approx(0.005, rel=0.01)
