from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer

from callsheet_bench.forecast import Forecast
from callsheet_bench.stage import rotated, sizes_for
from callsheet_bench.systems import TARGET_POOL_SHARE, Pool
from callsheet_bench.workload import TICK_S, TownSpec, TownWorkload

SPEC = TownSpec(npcs=30, persona_tokens=(100, 150), requests=30, lead_in=6)


@pytest.fixture(scope="module")
def town(tokenizer: Tokenizer) -> TownWorkload:
    return TownWorkload(SPEC, tokenizer)


def test_prompts_have_the_lengths_that_the_spec_says(town: TownWorkload) -> None:
    requests = list(town.requests("a 0"))
    assert len(requests) == SPEC.requests + SPEC.lead_in
    for request in requests:
        persona = request.prefix_tokens - SPEC.world_tokens
        assert 100 <= persona <= 150
        assert len(request.input_ids) == request.prefix_tokens + SPEC.question_tokens
        assert request.input_ids[: request.prefix_tokens] == town.prefix_ids(request.row)
    assert [r.time_s for r in requests] == sorted(r.time_s for r in requests)


def test_rounds_ask_the_same_people_other_questions(town: TownWorkload) -> None:
    first, again, second = (list(town.requests(label)) for label in ("a 0", "a 0", "a 1"))
    assert first == again
    assert [r.row for r in first] == [r.row for r in second]
    assert all(a.input_ids != b.input_ids for a, b in zip(first, second, strict=True))


def test_a_pool_holds_those_who_called_last_before_a_round(town: TownWorkload) -> None:
    before = [c.row for c in town.trace.calls if c.time_s < town.calls[0].time_s]
    held = list(town.called_before(SPEC.world_tokens + 1_000))
    assert held == list(dict.fromkeys(reversed(before)))[: len(held)][::-1]
    assert 750 < sum(len(town.persona_ids[row]) for row in held) <= 1_000


def test_a_pool_fits_a_round_if_it_holds_all_who_are_asked(town: TownWorkload) -> None:
    asked = sum(len(town.persona_ids[row]) for row in set(town.rows))
    assert town.fits(SPEC.world_tokens + asked)
    assert not town.fits(SPEC.world_tokens + asked - 1)


def test_those_who_are_called_are_introduced_once_the_last_caller_last(town: TownWorkload) -> None:
    called = town.called
    assert sorted(called) == sorted(set(town.rows))
    last_call = {row: index for index, row in enumerate(town.rows)}
    assert [last_call[row] for row in called] == sorted(last_call.values())
    for row, request in zip(called, town.warm_up(called), strict=True):
        assert request.row == row
        assert request.input_ids[: request.prefix_tokens] == town.prefix_ids(row)
        assert request.reply_tokens == 1


def test_those_who_may_be_prefetched_are_those_called_and_those_expected(
    town: TownWorkload,
) -> None:
    near, far = set(town.expected(2.0)), set(town.expected(1e9))
    assert set(town.called) <= near < far <= set(town.everybody)


def test_the_part_of_the_day_suits_lru_as_the_day_does(town: TownWorkload) -> None:
    assert town.lru_share == pytest.approx(town.day_lru_share, abs=0.05)


def test_a_larger_town_has_the_same_people_and_more(
    town: TownWorkload, tokenizer: Tokenizer
) -> None:
    larger = TownWorkload(replace(SPEC, npcs=40), tokenizer)
    assert larger.persona_ids[:30] == town.persona_ids


def test_random_calls_are_about_as_many_as_asked_for(tokenizer: Tokenizer) -> None:
    spec = replace(SPEC, requests=200, npcs=60)
    due, mixed = (
        TownWorkload(spec, tokenizer),
        TownWorkload(replace(spec, random_share=0.3), tokenizer),
    )
    changed = np.mean(np.array(due.rows) != np.array(mixed.rows))
    assert 0.2 < changed < 0.4
    assert due.calls == mixed.calls


def test_a_day_with_too_few_calls_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(ValueError, match="calls a day: 5006 are wanted"):
        TownWorkload(replace(SPEC, requests=5000), tokenizer)


def test_pools_hold_what_their_names_say(town: TownWorkload) -> None:
    sizes = sizes_for([town], rounds=5)
    assert sizes.device_tokens(Pool.SMALL) == town.pool_tokens(0.25)
    small, large = sizes.device_tokens(Pool.SMALL), sizes.device_tokens(Pool.LARGE)
    assert small / large == pytest.approx(TARGET_POOL_SHARE, abs=0.01)
    assert sizes.device_tokens(Pool.ALL) > town.prefix_tokens
    assert sizes.small_tokens * sizes.host_ratio > sizes.all_tokens


def test_systems_take_turns_to_go_first() -> None:
    orders = [rotated(("a", "b", "c"), number) for number in range(3)]
    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]


def test_forecasts_know_the_town_and_not_who_calls(town: TownWorkload) -> None:
    forecast = Forecast(town.trace, town.calls[0])
    for call in town.calls:
        forecast.advance(call.time_s)
        distance_s = forecast.distance_s()
        assert distance_s.shape == (SPEC.npcs,)
        assert (distance_s >= 0.0).all()
        forecast.begin_call(call.row)
        assert forecast.distance_s()[call.row] == 0.0
        forecast.end_call(call.row)
    assert forecast.now_s < town.calls[-1].time_s


def test_an_announced_call_is_expected_until_it_comes(tokenizer: Tokenizer) -> None:
    town = TownWorkload(replace(SPEC, requests=100), tokenizer)
    forecast = Forecast(town.trace, town.calls[0])
    announced = [call for call in town.calls if call.text.startswith("It is time for")]
    assert announced
    for call in announced:
        forecast.advance(call.time_s)
        assert forecast.distance_s()[call.row] <= TICK_S + 0.01
