"""Whatever comes in, a decoder answers with a message or a ProtocolError."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wire.vectors import read_vectors

from callsheet.wire import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    ProtocolError,
    decode_tick,
    encode,
    encode_tick,
    parse_client_message,
    parse_server_message,
)

PARSERS: list[Callable[[str | bytes], Any]] = [parse_client_message, parse_server_message]
FRAMES = [v.frame for v in read_vectors() if "fill" not in v.body and v.file != "tick_binary"]
TICKS = [v.frame for v in read_vectors() if v.file == "tick_binary"]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([2**53, -1, 2**64, 1e308, "", "bob", "player", "\ud800"])
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
names = st.sampled_from(
    sorted(
        {f for m in [*CLIENT_MESSAGES.values(), *SERVER_MESSAGES.values()] for f in m.model_fields}
    )
)


def answer(frame: str | bytes) -> None:
    for parse in PARSERS:
        try:
            message = parse(frame)
        except ProtocolError as refusal:
            error = refusal
        else:
            text = encode(message)
            assert parse(text) == message
            assert encode(parse(text)) == text
            continue
        assert error.message
        assert len(error.message) < 2_000
        assert len(error.value or "") <= 80


@given(st.binary(max_size=200) | st.text(max_size=200))
@example(b"")
@example("\ud800")
@example("\0")
@example(b'{"type":"bye"}\xff')
def test_any_bytes(frame: str | bytes) -> None:
    answer(frame)


@given(st.sampled_from(sorted({*CLIENT_MESSAGES, *SERVER_MESSAGES})), st.dictionaries(names, trees))
def test_any_fields(name: str, fields: dict[str, Any]) -> None:
    answer(json.dumps({"type": name} | fields))


@given(st.sampled_from(FRAMES), st.data())
def test_vectors_with_bytes_changed(frame: bytes, data: st.DataObject) -> None:
    answer(mutate(frame, data))


@given(st.sampled_from(FRAMES), names, trees)
def test_vectors_with_a_field_replaced(frame: bytes, name: str, value: Any) -> None:
    try:
        message = json.loads(frame)
    except ValueError:
        return
    if isinstance(message, dict):
        answer(json.dumps(message | {name: value}))


@given(st.binary(max_size=200) | st.binary(max_size=120).map(lambda rest: b"CS\x01\x01" + rest))
def test_any_binary_frame(frame: bytes) -> None:
    answer_tick(frame)


@given(st.sampled_from(TICKS), st.data())
def test_tick_vectors_with_bytes_changed(frame: bytes, data: st.DataObject) -> None:
    answer_tick(mutate(frame, data))


def answer_tick(frame: bytes) -> None:
    try:
        tick = decode_tick(frame)
    except ProtocolError as refusal:
        error = refusal
    else:
        assert encode_tick(tick) == frame
        return
    assert error.field


def mutate(frame: bytes, data: st.DataObject) -> bytes:
    """The frame with a few bytes replaced, removed or put in."""
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(frame)))
        end = min(len(frame), start + data.draw(st.integers(0, 4)))
        frame = frame[:start] + data.draw(st.binary(max_size=4)) + frame[end:]
    return frame


@pytest.mark.parametrize("depth", [32, 200, 1_000, 100_000])
def test_nesting_is_bounded(depth: int) -> None:
    for opening in ("[", '{"a":', '{"type":"action","arguments":{"a":', '{"type":'):
        answer(opening * depth)
        answer('{"type":"ack","seq":' + "[" * depth + "]" * depth + "}")
