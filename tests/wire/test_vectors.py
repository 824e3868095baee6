"""Replays the golden vectors that every SDK replays."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from wire.vectors import FOLDER, Vector, read_vectors

from callsheet.wire import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    ClientMessage,
    ErrorCode,
    JsonTick,
    ProtocolError,
    ServerMessage,
    Tick,
    TickKind,
    decode_tick,
    encode,
    encode_tick,
    parse_client_message,
    parse_server_message,
    tick_from_json,
)

ALL = read_vectors()
BINARY = [v for v in ALL if v.file == "tick_binary"]
TEXT = [v for v in ALL if v.file != "tick_binary"]
Parser = Callable[[bytes], ClientMessage | ServerMessage]
PARSERS: dict[str, list[Parser]] = {
    "client": [parse_client_message],
    "server": [parse_server_message],
    "both": [parse_client_message, parse_server_message],
}


def parse(vector: Vector) -> ClientMessage | ServerMessage:
    (parser,) = PARSERS[vector.direction]
    return parser(vector.frame)


def of(group: str, vectors: list[Vector]) -> list[Vector]:
    return [v for v in vectors if v.group == group]


@pytest.mark.parametrize("vector", of("valid", TEXT), ids=str)
def test_canonical_text_round_trips_byte_for_byte(vector: Vector) -> None:
    message = parse(vector)
    assert encode(message) == vector.frame
    assert json.loads(vector.frame)["type"] == vector.file
    if "object" in vector.body:
        assert json.loads(encode(message)) == vector.body["object"]


@pytest.mark.parametrize("vector", of("lenient", TEXT), ids=str)
def test_other_ways_to_write_it_mean_the_same(vector: Vector) -> None:
    message = parse(vector)
    assert json.loads(encode(message)) == vector.body["object"]
    (parser,) = PARSERS[vector.direction]
    assert parser(encode(message)) == message


@pytest.mark.parametrize("vector", of("invalid", TEXT), ids=str)
def test_invalid_text_is_refused_with_code_and_field(vector: Vector) -> None:
    for parser in PARSERS[vector.direction]:
        with pytest.raises(ProtocolError) as refusal:
            parser(vector.frame)
        assert refusal.value.code == vector.body["code"]
        assert refusal.value.field == vector.body["field"]
        assert len(refusal.value.value or "") <= 80


@pytest.mark.parametrize("vector", of("valid", BINARY), ids=str)
def test_binary_tick_decodes_and_round_trips(vector: Vector) -> None:
    tick = decode_tick(vector.frame)
    assert as_object(tick) == vector.body["tick"]
    assert encode_tick(tick) == vector.frame
    if "json" in vector.body:
        message = parse_client_message(vector.body["json"])
        assert isinstance(message, JsonTick)
        assert encode(message).decode() == vector.body["json"]
        assert encode_tick(tick_from_json(message)) == vector.frame


@pytest.mark.parametrize("vector", of("invalid", BINARY), ids=str)
def test_bad_binary_tick_is_refused_with_code_and_field(vector: Vector) -> None:
    with pytest.raises(ProtocolError) as refusal:
        decode_tick(vector.frame)
    assert refusal.value.code == vector.body["code"]
    assert refusal.value.field == vector.body["field"]


def as_object(tick: Tick) -> dict[str, Any]:
    """A tick as the vectors write it: non-finite numbers are strings."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(item) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return value

    def records(array: Any) -> list[dict[str, Any]]:
        return [
            {name: plain(record[name].tolist()) for name in array.dtype.names} for record in array
        ]

    return {
        "kind": "keyframe" if tick.kind is TickKind.KEYFRAME else "delta",
        "tick": tick.tick,
        "game_time_s": tick.game_time_s,
        "ack": tick.ack,
        **({"rewind": True} if tick.rewind else {}),
        "npcs": records(tick.npcs),
        "players": records(tick.players),
    }


def test_every_message_has_valid_and_invalid_vectors() -> None:
    for direction, messages in (("client", CLIENT_MESSAGES), ("server", SERVER_MESSAGES)):
        for name in messages:
            mine = [v for v in ALL if v.file == name]
            assert {v.direction for v in mine} == {direction}, name
            assert {v.group for v in mine} >= {"valid", "invalid"}, name


def test_no_vector_file_is_left_over() -> None:
    known = {*CLIENT_MESSAGES, *SERVER_MESSAGES, "common", "tick_binary"}
    assert {path.stem for path in FOLDER.glob("*.json")} == known


def test_every_error_code_has_a_vector() -> None:
    shown = {v.body["object"]["code"] for v in of("valid", ALL) if v.file == "error"}
    assert shown >= {code.value for code in ErrorCode}


def test_every_code_a_decoder_raises_has_an_invalid_vector() -> None:
    assert {v.body["code"] for v in of("invalid", ALL)} == {
        "bad_json",
        "bad_message",
        "unknown_type",
        "bad_tick",
    }


def test_names_are_unique_within_a_file() -> None:
    names = [(v.file, v.group, v.body["name"]) for v in ALL]
    assert len(names) == len(set(names))
