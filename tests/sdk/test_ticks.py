from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.ticks import TickEncoder
from callsheet.core.world_state import world_state
from callsheet.wire.tick import NpcFlag, TickKind, decode_tick

HANDLES = [4, 1, 7, 2]
AT = np.arange(12.0).reshape(4, 3)


def encode(encoder: TickEncoder, *arrays: Any, **more: Any) -> bytes:
    return encoder.encode(world_state(*arrays, **more))


def kind_and_handles(frame: bytes) -> tuple[TickKind, list[int]]:
    tick = decode_tick(frame)
    return tick.kind, tick.npcs["handle"].tolist()


def test_the_first_tick_is_a_keyframe_and_then_what_changed() -> None:
    encoder = TickEncoder()
    assert kind_and_handles(encode(encoder, 0.0, HANDLES, AT)) == (TickKind.KEYFRAME, [1, 2, 4, 7])
    moved = AT.copy()
    moved[2] += 1
    assert kind_and_handles(encode(encoder, 1.0, HANDLES, moved)) == (TickKind.DELTA, [7])
    assert kind_and_handles(encode(encoder, 2.0, HANDLES, moved)) == (TickKind.DELTA, [])


def test_much_change_is_a_keyframe() -> None:
    encoder = TickEncoder()
    encode(encoder, 0.0, HANDLES, AT)
    assert kind_and_handles(encode(encoder, 1.0, HANDLES, AT + 1))[0] is TickKind.KEYFRAME


@pytest.mark.parametrize("handles", [[1, 2, 4], [1, 2, 4, 8], [1, 2, 4, 7, 9]])
def test_others_than_before_are_a_keyframe(handles: list[int]) -> None:
    encoder = TickEncoder()
    encode(encoder, 0.0, HANDLES, AT)
    frame = encode(encoder, 1.0, handles, np.zeros((len(handles), 3)))
    assert kind_and_handles(frame) == (TickKind.KEYFRAME, handles)


def test_hints_and_clears_are_sent_every_time_and_never_again() -> None:
    encoder = TickEncoder()
    hints, flags = [math.nan, 5.0, math.nan, math.nan], [0, 0, NpcFlag.CLEAR_SCHEDULE, 0]
    for _ in range(2):
        last = decode_tick(encode(encoder, 0.0, HANDLES, AT, None, hints, flags))
    assert (last.kind, last.npcs["handle"].tolist()) == (TickKind.DELTA, [1, 7])
    assert last.npcs["next_call_s"][0] == 5.0
    again = decode_tick(encoder.keyframe())
    assert np.isnan(again.npcs["next_call_s"]).all()
    assert not again.npcs["flags"].any()


def test_forgetting_starts_over_but_goes_on_counting() -> None:
    encoder = TickEncoder()
    encode(encoder, 0.0, HANDLES, AT)
    encoder.forget()
    tick = decode_tick(encode(encoder, 1.0, HANDLES, AT))
    assert (tick.kind, tick.tick) == (TickKind.KEYFRAME, 1)


@given(st.data())
def test_a_server_that_follows_the_ticks_knows_the_state(data: st.DataObject) -> None:
    encoder = TickEncoder()
    known: dict[int, Any] = {}
    for step in range(data.draw(st.integers(1, 8))):
        handles = data.draw(st.lists(st.integers(0, 6), unique=True, max_size=6))
        if step and data.draw(st.booleans()):
            handles = list(known)
        x = [float(data.draw(st.integers(0, 2))) for _ in handles]
        flags = [data.draw(st.integers(0, 1)) for _ in handles]
        at = np.array([[one, 0.0, 0.0] for one in x]).reshape(-1, 3)
        tick = decode_tick(encode(encoder, float(step), handles, at, flags=flags))
        assert (tick.tick, tick.game_time_s) == (step, float(step))
        if tick.kind is TickKind.KEYFRAME:
            known = {}
        for record in tick.npcs:
            known[int(record["handle"])] = (float(record["position"][0]), int(record["flags"]))
        assert known == {h: (a, f) for h, a, f in zip(handles, x, flags, strict=True)}


def test_time_that_goes_back_is_a_keyframe_that_says_so() -> None:
    encoder = TickEncoder()
    encoder.can_rewind = True
    encode(encoder, 10.0, HANDLES, AT)
    delta = decode_tick(encode(encoder, 11.0, HANDLES, AT))
    assert (delta.kind, delta.rewind) == (TickKind.DELTA, False)
    yesterday = decode_tick(encode(encoder, 3.0, HANDLES, AT))
    assert (yesterday.kind, yesterday.game_time_s, yesterday.rewind) == (
        TickKind.KEYFRAME,
        3.0,
        True,
    )
    assert decode_tick(encode(encoder, 4.0, HANDLES, AT)).kind is TickKind.DELTA


def test_what_a_server_missed_may_be_from_before_what_it_has() -> None:
    encoder = TickEncoder()
    encoder.can_rewind = True
    encode(encoder, 10.0, HANDLES, AT)
    encode(encoder, 3.0, HANDLES, AT)  # lost with the connection
    encode(encoder, 4.0, HANDLES, AT)
    again = decode_tick(encoder.keyframe())
    assert (again.game_time_s, again.rewind) == (4.0, True)


def test_time_stands_still_for_an_old_server_rather_than_go_back() -> None:
    encoder = TickEncoder()
    ticks = [decode_tick(encode(encoder, time_s, HANDLES, AT)) for time_s in (10, 3, 4, 11)]
    assert [(tick.game_time_s, tick.rewind) for tick in ticks] == [
        (10.0, False),
        (10.0, False),
        (10.0, False),
        (11.0, False),
    ]
