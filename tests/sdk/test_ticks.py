from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.ticks import TickEncoder
from callsheet.wire.errors import ErrorCode, ProtocolError
from callsheet.wire.tick import NpcFlag, TickKind, decode_tick

HANDLES = [4, 1, 7, 2]
AT = np.arange(12.0).reshape(4, 3)


def kind_and_handles(frame: bytes) -> tuple[TickKind, list[int]]:
    tick = decode_tick(frame)
    return tick.kind, tick.npcs["handle"].tolist()


def test_the_first_tick_is_a_keyframe_and_then_what_changed() -> None:
    encoder = TickEncoder()
    assert kind_and_handles(encoder.state(0.0, HANDLES, AT)) == (TickKind.KEYFRAME, [1, 2, 4, 7])
    moved = AT.copy()
    moved[2] += 1
    assert kind_and_handles(encoder.state(1.0, HANDLES, moved)) == (TickKind.DELTA, [7])
    assert kind_and_handles(encoder.state(2.0, HANDLES, moved)) == (TickKind.DELTA, [])


def test_much_change_is_a_keyframe() -> None:
    encoder = TickEncoder()
    encoder.state(0.0, HANDLES, AT)
    assert kind_and_handles(encoder.state(1.0, HANDLES, AT + 1))[0] is TickKind.KEYFRAME


@pytest.mark.parametrize("handles", [[1, 2, 4], [1, 2, 4, 8], [1, 2, 4, 7, 9]])
def test_others_than_before_are_a_keyframe(handles: list[int]) -> None:
    encoder = TickEncoder()
    encoder.state(0.0, HANDLES, AT)
    frame = encoder.state(1.0, handles, np.zeros((len(handles), 3)))
    assert kind_and_handles(frame) == (TickKind.KEYFRAME, handles)


def test_hints_and_clears_are_sent_every_time_and_never_again() -> None:
    encoder = TickEncoder()
    hints, flags = [math.nan, 5.0, math.nan, math.nan], [0, 0, NpcFlag.CLEAR_SCHEDULE, 0]
    for _ in range(2):
        last = decode_tick(encoder.state(0.0, HANDLES, AT, None, hints, flags))
    assert (last.kind, last.npcs["handle"].tolist()) == (TickKind.DELTA, [1, 7])
    assert last.npcs["next_call_s"][0] == 5.0
    again = decode_tick(encoder.keyframe())
    assert np.isnan(again.npcs["next_call_s"]).all()
    assert not again.npcs["flags"].any()


def test_a_handle_twice_is_named() -> None:
    with pytest.raises(ProtocolError, match="handle 7 is named twice"):
        TickEncoder().state(0.0, [7, 1, 7], np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"positions_m": AT[:2]}, "positions_m", r"shape \(2, 3\); it must be \(4, 3\)"),
        ({"positions_m": AT.T}, "positions_m", r"shape \(3, 4\); it must be \(4, 3\)"),
        ({"positions_m": [["a", 0, 0]] * 4}, "positions_m", "cannot be an array of numbers"),
        ({"handles": [[4, 1, 7, 2]]}, "handles", r"shape \(1, 4\); it must be \(N,\)"),
        ({"handles": [4, 1, 7, -2]}, "handles", "cannot be an array of numbers"),
        ({"flags": [0, 0]}, "flags", r"shape \(2,\); it must be \(4,\): one number each"),
        ({"next_call_s": 3.0}, "next_call_s", r"shape \(\)"),
        ({"player_handles": [1]}, "player_positions_m", r"shape \(0,\); it must be \(1, 3\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_and_change_nothing(
    changes: dict[str, Any], field: str, told: str
) -> None:
    encoder = TickEncoder()
    encoder.state(0.0, HANDLES, AT)
    given_arrays: dict[str, Any] = {"handles": HANDLES, "positions_m": AT} | changes
    with pytest.raises(ProtocolError, match=told) as caught:
        encoder.state(1.0, **given_arrays)
    assert (caught.value.code, caught.value.field) == (ErrorCode.BAD_TICK, field)
    assert kind_and_handles(encoder.state(2.0, HANDLES, AT)) == (TickKind.DELTA, [])


def test_forgetting_starts_over_but_goes_on_counting() -> None:
    encoder = TickEncoder()
    encoder.state(0.0, HANDLES, AT)
    encoder.forget()
    tick = decode_tick(encoder.state(1.0, HANDLES, AT))
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
        tick = decode_tick(encoder.state(float(step), handles, at, flags=flags))
        assert (tick.tick, tick.game_time_s) == (step, float(step))
        if tick.kind is TickKind.KEYFRAME:
            known = {}
        for record in tick.npcs:
            known[int(record["handle"])] = (float(record["position"][0]), int(record["flags"]))
        assert known == {h: (a, f) for h, a, f in zip(handles, x, flags, strict=True)}
