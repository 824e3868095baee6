from __future__ import annotations

from types import SimpleNamespace

import pytest

from callsheet_sglang.kv.pace import AGREE_EVERY_ITERATIONS, ASSUMED_TOKENS_PER_S, Pace
from callsheet_sglang.kv.scheduler_state import hindered


def alone(values: list[float]) -> list[float]:
    return values


def iterate(pace: Pace, times: int, took_s: float) -> None:
    for number in range(times):
        pace.begin_iteration(number * took_s, False, False, False, alone)


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
            pace.begin_iteration(0.03 * number, True, False, False, smallest)
    assert first.link_tokens_per_s == second.link_tokens_per_s == ASSUMED_TOKENS_PER_S
    assert first.prefill_s == second.prefill_s == 0.02
    assert not first.link_is_known  # The other rank has loaded nothing.


@pytest.mark.parametrize("overlap", [False, True])
def test_passes_over_prompts_are_timed_and_no_others(overlap: bool) -> None:
    """Prompts take 5 ms, decode steps 20; nothing runs in between for half a second."""
    pace, now_s = Pace(), 0.0
    launched: list[str] = []
    for _ in range(10 * AGREE_EVERY_ITERATIONS):
        for kind in ("prefill", "decode", "decode", "nothing"):
            last = launched[-1] if launched else "nothing"
            pace.begin_iteration(now_s, last == "prefill", False, overlap, alone)
            ended = last if overlap else kind
            now_s += {"prefill": 0.005, "decode": 0.02, "nothing": 0.5}[ended]
            launched.append(kind)
    assert pace.prefill_s == pytest.approx(0.005, rel=0.01)


def test_passes_that_all_wait_for_loads_do_not_keep_each_other_long() -> None:
    """A long mean has requests load inside the batch, which makes its passes long."""
    pace = Pace()
    for number in range(10 * AGREE_EVERY_ITERATIONS):
        pace.begin_iteration(0.02 * number, True, True, False, alone)
    assert pace.prefill_s < 0.0001
    for number in range(10 * AGREE_EVERY_ITERATIONS):
        pace.begin_iteration(0.02 * number, True, False, False, alone)
    assert pace.prefill_s == pytest.approx(0.02, rel=0.01)


@pytest.mark.parametrize(("load", "waits"), [(-1, False), (0, True), (3, True)])
def test_a_batch_tells_whether_it_waits_for_a_load(load: int, waits: bool) -> None:
    assert (
        hindered(SimpleNamespace(last_batch=SimpleNamespace(hicache_consumer_index=load))) is waits
    )
    assert not hindered(SimpleNamespace(last_batch=None))
