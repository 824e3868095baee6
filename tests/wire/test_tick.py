"""Binary ticks: round trips, sizes, views and the JSON form."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from callsheet.wire import (
    HEADER_DTYPE,
    MAX_COORDINATE_M,
    MAX_GAME_TIME_S,
    NPC_DTYPE,
    PLAYER_DTYPE,
    ErrorCode,
    JsonTick,
    NpcFlag,
    ProtocolError,
    Tick,
    TickKind,
    TickNpc,
    TickPlayer,
    decode_tick,
    encode,
    encode_tick,
    npc_records,
    parse_client_message,
    player_records,
    tick_from_json,
)

U32 = st.integers(0, 2**32 - 1)
ANY_F32 = st.floats(width=32)
COORDINATE = st.floats(-MAX_COORDINATE_M, MAX_COORDINATE_M, width=32)
VEC3 = st.tuples(COORDINATE, COORDINATE, COORDINATE)
GAME_TIME = st.floats(0, MAX_GAME_TIME_S)


def records(dtype: np.dtype[np.void]) -> st.SearchStrategy[NDArray[np.void]]:
    """Record arrays of any bytes: NaN, infinities and undefined flags too."""
    size = dtype.itemsize
    return st.integers(0, 4).flatmap(
        lambda n: st.binary(min_size=n * size, max_size=n * size).map(
            lambda octets: np.frombuffer(octets, dtype)
        )
    )


ticks = st.builds(
    Tick,
    st.sampled_from(TickKind),
    U32,
    GAME_TIME,
    st.booleans(),
    records(NPC_DTYPE),
    records(PLAYER_DTYPE),
)
json_ticks = st.builds(
    JsonTick,
    kind=st.sampled_from(["keyframe", "delta"]),
    tick=U32,
    game_time_s=GAME_TIME,
    ack=st.booleans(),
    npcs=st.lists(
        st.builds(
            TickNpc,
            handle=U32,
            position=VEC3,
            velocity=VEC3,
            next_call_s=st.none() | st.floats(0, 2.0**39, width=32),
            flags=st.integers(0, 3),
        ),
        max_size=4,
    ).map(tuple),
    players=st.lists(
        st.builds(TickPlayer, handle=U32, position=VEC3, velocity=VEC3), max_size=4
    ).map(tuple),
)


def as_json(tick: Tick) -> JsonTick:
    return JsonTick(
        kind="keyframe" if tick.kind is TickKind.KEYFRAME else "delta",
        tick=tick.tick,
        game_time_s=tick.game_time_s,
        ack=tick.ack,
        npcs=tuple(
            TickNpc(
                handle=int(r["handle"]),
                position=tuple(r["position"].tolist()),
                velocity=tuple(r["velocity"].tolist()),
                next_call_s=None if math.isnan(r["next_call_s"]) else float(r["next_call_s"]),
                flags=int(r["flags"]),
            )
            for r in tick.npcs
        ),
        players=tuple(
            TickPlayer(
                handle=int(r["handle"]),
                position=tuple(r["position"].tolist()),
                velocity=tuple(r["velocity"].tolist()),
            )
            for r in tick.players
        ),
    )


@given(ticks)
def test_binary_round_trip_keeps_every_byte(tick: Tick) -> None:
    frame = encode_tick(tick)
    again = decode_tick(frame)
    assert (again.kind, again.tick, again.ack) == (tick.kind, tick.tick, tick.ack)
    assert again.game_time_s == tick.game_time_s
    assert again.npcs.tobytes() == tick.npcs.tobytes()
    assert again.players.tobytes() == tick.players.tobytes()
    assert encode_tick(again) == frame


@given(ticks)
def test_size_is_the_sum_of_its_parts(tick: Tick) -> None:
    assert len(encode_tick(tick)) == 32 + 36 * len(tick.npcs) + 32 * len(tick.players)


@given(json_ticks)
def test_json_and_binary_mean_the_same(message: JsonTick) -> None:
    tick = decode_tick(encode_tick(tick_from_json(message)))
    assert as_json(tick) == message
    assert parse_client_message(encode(message)) == message


@given(ticks, st.data())
def test_a_frame_of_any_other_size_is_refused(tick: Tick, data: st.DataObject) -> None:
    frame = encode_tick(tick)
    cut = data.draw(st.integers(0, len(frame) - 1))
    for wrong in (frame[:cut], frame + b"\0" * (cut + 1)):
        with pytest.raises(ProtocolError) as caught:
            decode_tick(wrong)
        assert caught.value.code == ErrorCode.BAD_TICK
        assert caught.value.field in ("header", "npc_count")


@given(st.integers(0, 31), st.binary(min_size=1, max_size=1))
def test_an_undefined_header_byte_never_passes(at: int, octet: bytes) -> None:
    """Decode, and encode to the same bytes: nothing in a header is ignored."""
    frame = encode_tick(
        Tick(TickKind.DELTA, 1, 2.0, False, npc_records([], []), player_records([], []))
    )
    changed = frame[:at] + octet + frame[at + 1 :]
    try:
        tick = decode_tick(changed)
    except ProtocolError:
        return
    assert encode_tick(tick) == changed


def test_record_sizes_and_offsets() -> None:
    assert (HEADER_DTYPE.itemsize, NPC_DTYPE.itemsize, PLAYER_DTYPE.itemsize) == (32, 36, 32)


def test_decoding_copies_nothing_and_the_views_are_read_only() -> None:
    npcs = npc_records([1, 2], [[1, 2, 3], [4, 5, 6]])
    frame = encode_tick(
        Tick(TickKind.KEYFRAME, 1, 0.0, False, npcs, player_records([9], [[0] * 3]))
    )
    tick = decode_tick(frame)
    octets = np.frombuffer(frame, np.uint8)
    for view in (tick.npcs, tick.players):
        assert np.shares_memory(view, octets)
        assert not view.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            view["handle"] = 0


def test_npc_records_fill_in_what_is_left_out() -> None:
    record = npc_records([7], [[1, 2, 3]])[0]
    assert record["handle"] == 7
    assert record["velocity"].tolist() == [0, 0, 0]
    assert math.isnan(record["next_call_s"])
    assert record["flags"] == 0


def test_npc_records_take_arrays() -> None:
    n = 1000
    handles = np.arange(n, dtype=np.uint32)
    positions = np.linspace(0, 1, 3 * n, dtype=np.float32).reshape(n, 3)
    flags = np.full(n, NpcFlag.UNAVAILABLE)
    made = npc_records(handles, positions, -positions, np.full(n, 5.0), flags)
    assert (made["handle"] == handles).all()
    assert (made["position"] == positions).all()
    assert (made["velocity"] == -positions).all()
    assert (made["next_call_s"] == 5).all()
    assert (made["flags"] == 1).all()


def test_records_of_another_dtype_are_refused() -> None:
    players = player_records([1], [[0, 0, 0]])
    with pytest.raises(ValueError, match="npc_records"):
        encode_tick(Tick(TickKind.DELTA, 1, 0.0, False, players, players))


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        npc_records([1, 2, 3], [[0, 0, 0], [1, 1, 1]])
