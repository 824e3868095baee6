"""Event streams: the same events however the bytes come, and one error for all that is none."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.engine.sse import DONE, EventReader, EventStreamError

EVENTS: list[Any] = [{"a": "é 🏰\n"}, {"b": [1, None]}, {}]


def read(*pieces: bytes) -> list[Any]:
    reader = EventReader()
    return [event for piece in pieces for event in reader.feed(piece)] + list(reader.end())


@given(st.lists(st.integers(1, 200), max_size=20), st.sampled_from(["\n", "\r\n"]))
def test_where_the_pieces_end_does_not_matter(cuts: list[int], newline: str) -> None:
    lines = [b": comment", b"event: x"]
    lines += [b"data: " + orjson.dumps(event) for event in EVENTS]
    whole = (newline * 2).encode().join([*lines, b"data: null", b"data: [DONE]"])
    ends = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[start:end] for start, end in pairwise(ends)]
    assert read(*pieces) == [*EVENTS, DONE]


@given(st.lists(st.binary(max_size=60) | st.sampled_from([b"data:", b"\n", b"{", b'{"a":1}'])))
def test_bytes_that_are_no_stream_raise_one_error(pieces: list[bytes]) -> None:
    try:
        events = read(*pieces)
    except EventStreamError:
        return
    assert all(event == DONE or isinstance(event, dict) for event in events)


def test_an_event_that_ends_before_its_json_does_is_an_error() -> None:
    with pytest.raises(EventStreamError, match="no JSON"):
        read(b'data: {"a":\n\n')


@given(st.lists(st.integers(1, 200), max_size=20))
def test_of_events_that_come_together_the_last_is_enough(cuts: list[int]) -> None:
    texts = [{"text": "x" * length} for length in range(1, 9)]
    whole = b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in texts)
    whole += b"data: [DONE]\n\n"
    ends = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    reader, told = EventReader(latest_only=True), list[Any]()
    for start, end in pairwise(ends):
        told += reader.feed(whole[start:end])
    assert told[-2:] == [texts[-1], DONE]
    assert [texts.index(event) for event in told[:-1]] == sorted(map(texts.index, told[:-1]))
    assert list(EventReader(latest_only=True).feed(whole)) == [texts[-1], DONE]
