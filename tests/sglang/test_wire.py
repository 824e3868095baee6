from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from callsheet_residency.state import Tier
from callsheet_sglang import wire
from callsheet_sglang.wire import Distances, Residency, WireError

U64 = st.integers(0, 2**64 - 1)
COUNTS = st.integers(0, 40)
HANDLES = st.integers(0, wire.MAX_NPCS - 1)
SECONDS = st.one_of(st.floats(0.0, width=32), st.just(float("nan")))
U32 = st.integers(0, 2**32 - 1)


def column(dtype: str, count: int, elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return arrays(dtype, count, elements=elements)


@st.composite
def distances(draw: st.DrawFn) -> Distances:
    n = draw(COUNTS)
    return Distances(
        seq=draw(U64),
        now_s=draw(st.floats(allow_nan=False, allow_infinity=False)),
        handles=draw(column("u4", n, HANDLES)),
        distance_s=draw(column("f4", n, SECONDS)),
        full=draw(st.booleans()),
    )


@st.composite
def residencies(draw: st.DrawFn) -> Residency:
    n = draw(COUNTS)
    return Residency(
        version=draw(U64),
        bytes_per_token=draw(U64),
        handles=draw(column("u4", n, HANDLES)),
        tier=draw(column("u1", n, st.sampled_from(Tier))),
        device_tokens=draw(column("u4", n, U32)),
        host_tokens=draw(column("u4", n, U32)),
        full=draw(st.booleans()),
    )


@given(distances())
def test_distances_come_back_as_they_were(update: Distances) -> None:
    back = wire.decode_distances(wire.encode_distances(update))
    assert (back.seq, back.now_s, back.full) == (update.seq, update.now_s, update.full)
    np.testing.assert_array_equal(back.handles, update.handles)
    np.testing.assert_array_equal(back.distance_s, update.distance_s)


@given(residencies())
def test_residency_comes_back_as_it_was(state: Residency) -> None:
    back = wire.decode_residency(wire.encode_residency(state))
    assert (back.version, back.bytes_per_token, back.full) == (
        state.version,
        state.bytes_per_token,
        state.full,
    )
    for name in ("handles", "tier", "device_tokens", "host_tokens"):
        np.testing.assert_array_equal(getattr(back, name), getattr(state, name))


@given(st.dictionaries(HANDLES, st.none() | st.text(min_size=1)))
def test_adapters_come_back_as_they_were(adapters: dict[int, str | None]) -> None:
    assert wire.decode_adapters(wire.encode_adapters(adapters)) == (0, adapters)
    assert wire.decode_adapters(wire.encode_adapters(adapters, 7)) == (7, adapters)


@given(HANDLES)
def test_a_session_id_names_one_npc(handle: int) -> None:
    assert wire.npc_of(wire.session_id(handle)) == (0, handle)
    assert wire.npc_of(wire.session_id(handle, wire.MAX_SENDER)) == (wire.MAX_SENDER, handle)


@pytest.mark.parametrize(
    "other",
    [None, "", "npc-", "npc-01", "npc--1", "npc-1x", "npc-٣", "npc-1048576", "npc-1\n", "user-1"],
)
def test_other_session_ids_are_nobodys(other: str | None) -> None:
    assert wire.npc_of(other) is None


@given(st.binary(max_size=200))
def test_noise_is_refused_in_our_own_words(noise: bytes) -> None:
    for decode in (wire.decode_distances, wire.decode_residency, wire.decode_adapters):
        for body in (noise, b"CSD1\1\0\0\0" + noise, b"CSR1\1\0\0\0" + noise):
            try:
                decode(body)
            except WireError:
                continue


def header(**fields: object) -> bytes:
    values: dict[str, Any] = {
        "magic": b"CSD1",
        "version": 1,
        "flags": 0,
        "seq": 1,
        "now_s": 2.0,
        "count": 1,
        **fields,
    }
    return struct.pack("<4sHHQdI", *values.values())


ROW = struct.pack("<If", 3, 1.5)


def test_the_layout_of_distances_is_the_documented_one() -> None:
    update = wire.decode_distances(header() + ROW)
    assert (update.seq, update.now_s, update.full) == (1, 2.0, False)
    assert (update.handles.tolist(), update.distance_s.tolist()) == ([3], [1.5])


def test_the_layout_of_residency_is_the_documented_one() -> None:
    body = struct.pack("<4sHHQQI", b"CSR1", 1, 1, 9, 4096, 2)
    body += struct.pack("<II", 3, 4) + bytes([0, 1]) + struct.pack("<IIII", 10, 0, 10, 20)
    state = wire.decode_residency(body)
    assert (state.version, state.bytes_per_token, state.full) == (9, 4096, True)
    assert state.tier.tolist() == [Tier.DEVICE, Tier.HOST]
    assert (state.device_tokens.tolist(), state.host_tokens.tolist()) == ([10, 0], [10, 20])


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "the body has 0 bytes: its header alone takes 28"),
        (header(magic=b"CSR1") + ROW, r"begins with b'CSR1', not with b'CSD1'"),
        (header(version=3) + ROW, "version is 3, this side speaks 1: upgrade the older side"),
        (header(flags=2) + ROW, "flags is 0x2: only bit 0"),
        (header(count=2) + ROW, "count is 2, so the body takes 44 bytes, not 36"),
        (header(now_s=float("nan")) + ROW, "now_s is nan: give a finite number of seconds"),
        (header() + struct.pack("<If", 3, -1.0), r"distance_s\[0\] is -1.0: give seconds >= 0"),
        (header() + struct.pack("<If", 2**20, 1.0), r"handles\[0\] is 1048576: handles are below"),
    ],
)
def test_what_is_wrong_is_named(body: bytes, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        wire.decode_distances(body)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"{", "the body is not JSON"),
        (b"[]", "the body must be"),
        (b'{"npcs": [3]}', r"npcs\[0\].npc is None: give a whole number"),
        (b'{"npcs": [{"npc": true}]}', r"npcs\[0\].npc is True"),
        (b'{"npcs": [{"npc": -1}]}', r"npcs\[0\].npc is -1"),
        (b'{"npcs": [{"npc": 1, "adapter": ""}]}', r"npcs\[0\].adapter is ''"),
    ],
)
def test_what_is_wrong_with_adapters_is_named(body: bytes, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        wire.decode_adapters(body)


def test_columns_of_unlike_lengths_are_not_sent() -> None:
    update = Distances(1, 0.0, np.zeros(2, np.uint32), np.zeros(3, np.float32))
    with pytest.raises(WireError, match=r"distance_s has shape \(3,\) for 2 handles"):
        wire.encode_distances(update)


def test_an_update_names_its_sender_only_if_it_has_a_number() -> None:
    rows = np.array([3], np.uint32), np.array([1.5], np.float32)
    alone = wire.Distances(1, 2.0, *rows, full=True)
    named = wire.Distances(1, 2.0, *rows, full=True, sender=wire.MAX_SENDER)
    assert wire.encode_distances(alone)[4] == wire.VERSION, "an older plugin reads it"
    for update in (alone, named):
        found = wire.decode_distances(wire.stamped(wire.encode_distances(update), 9.0))
        assert (found.seq, found.now_s, found.full, found.sender) == (1, 9.0, True, update.sender)
        assert (found.handles.tolist(), found.distance_s.tolist()) == ([3], [1.5])
    too_large = wire.Distances(1, 2.0, *rows, sender=wire.MAX_SENDER + 1)
    with pytest.raises(WireError, match="sender is"):
        wire.encode_distances(too_large)
