"""Generated workloads: the same on every run, and by the rules they state."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from callsheet_server.trace.generators import HELD_OUT, TUNED_ON
from callsheet_server.trace.generators.callers import chains, periodic, poisson
from callsheet_server.trace.generators.places import few_popular
from callsheet_server.trace.generators.towns import town_day


def test_the_same_seed_is_the_same_trace_and_another_is_not() -> None:
    one, same, other = (poisson(seed, npcs=20, seconds=60.0).trace for seed in (1, 1, 2))
    assert one.calls == same.calls
    assert one.calls != other.calls


def test_calls_and_ticks_are_in_order_and_nobody_calls_while_replying() -> None:
    trace = few_popular(3, npcs=40, seconds=60.0).trace
    times_s = [tick.time_s for tick in trace.ticks]
    assert times_s == sorted(times_s)
    assert trace.calls
    last_s = dict.fromkeys(range(40), -np.inf)
    for call in trace.calls:
        assert call.time_s >= last_s[call.row] + call.duration_s
        last_s[call.row] = call.time_s


@pytest.mark.parametrize("generate", [poisson, periodic, chains])
def test_the_chances_told_add_up_to_the_calls_that_came(generate: object) -> None:
    assert callable(generate)
    made = generate(5, npcs=120, seconds=600.0)
    assert made.chance.shape == (len(made.trace.ticks), 120)
    assert made.chance.sum() == pytest.approx(len(made.trace.calls), rel=0.12)


def test_announced_calls_come_when_they_were_announced() -> None:
    trace = town_day(6, npcs=30, seconds=120.0, late_s=0.0, unplanned_gap_s=1e9).trace
    due_s: dict[int, float] = {}
    calls = iter(trace.calls)
    call = next(calls, None)
    on_time = late = 0
    for tick in trace.ticks:
        while call is not None and call.time_s <= tick.time_s:
            if call.row in due_s:
                on_time += abs(call.time_s - due_s[call.row]) <= 0.5
                late += abs(call.time_s - due_s[call.row]) > 0.5
            call = next(calls, None)
        due_s |= dict(zip(tick.rows.tolist(), tick.scheduled_call_s.tolist(), strict=True))
    assert on_time > 20
    assert late == 0


def test_what_is_held_out_is_not_what_was_tuned_on() -> None:
    assert {"campus", "agents"} <= set(HELD_OUT) - set(TUNED_ON)
    for name in set(HELD_OUT) & set(TUNED_ON):
        one, other = HELD_OUT[name], TUNED_ON[name]
        assert isinstance(one, partial)
        assert isinstance(other, partial)
        assert one.args != other.args, "the same seed"
