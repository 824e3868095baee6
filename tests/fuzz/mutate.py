"""Inputs that fuzzing starts from, and changes that keep one close to being valid."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

import orjson
from fuzz.targets import SEPARATOR
from wire.vectors import read_vectors

from callsheet.wire import CLIENT_MESSAGES, SERVER_MESSAGES

__all__ = ["mutate", "seeds", "words"]

VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, 1e308, -0.0, 0.5, 1e-320),
    *("", "bob", "ann", "game", "\x00", "\U0001f600", "é" * 70, "a" * 5_000, "0.5"),
    *([], {}, [[]], [None], {"type": "say"}, [0.0, 0.0, 0.0], [1e7, -1e7, 1e8]),
)
VECTORS: Final = [vector for vector in read_vectors() if "fill" not in vector.body]
TICKS: Final = [vector.frame for vector in VECTORS if vector.file == "tick_binary"]
TEXTS: Final = [vector.frame for vector in VECTORS if vector.file != "tick_binary"]
OPERATIONS: Final = b"cbmowlrns"


def seeds(target: str) -> list[bytes]:
    """Inputs to begin with."""
    if target == "tick":
        return TICKS
    if target == "text":
        return TEXTS
    from_clients = [
        vector.frame
        for vector in VECTORS
        if vector.direction == "client" and vector.file != "tick_binary"
    ]
    hello = next(v.frame for v in VECTORS if v.file == "hello" and v.group == "valid")
    opening = [b"c" + hello] if target == "session" else []
    programs = []
    for number, frame in enumerate(from_clients):
        others = [from_clients[(number * step) % len(from_clients)] for step in (3, 7, 11)]
        operations = [operation + one for operation in (b"c", b"m", b"o") for one in others]
        ticks = [b"b" + TICKS[number % len(TICKS)], b"w\x10"]
        programs.append(SEPARATOR.join([*opening, b"c" + frame, *operations, *ticks]))
    return programs


def words() -> list[str]:
    """Names the wire knows; libFuzzer puts them in."""
    models = [*CLIENT_MESSAGES.values(), *SERVER_MESSAGES.values()]
    fields = {name for model in models for name in model.model_fields}
    return sorted(fields | CLIENT_MESSAGES.keys() | SERVER_MESSAGES.keys())


def mutate(
    target: str, data: bytes, source: random.Random, change_bytes: Callable[[bytes], bytes]
) -> bytes:
    """A relative of ``data``: a field of a message changed, a record moved, or some bytes."""
    if target == "tick" or source.random() < 0.4:
        return change_bytes(data)
    if target == "text":
        return _change_json(data, source)
    program = data.split(SEPARATOR)
    at = source.randrange(len(program))
    match source.randrange(4):
        case 0:
            operation = bytes((source.choice(OPERATIONS),))
            program.insert(at, operation + source.choice(TICKS if operation == b"b" else TEXTS))
        case 1:
            program[at] = program[at][:1] + change_bytes(program[at][1:])
        case 2:
            program.insert(source.randrange(len(program)), program[at])
        case _:
            program[at] = program[at][:1] + _change_json(program[at][1:], source)
    return SEPARATOR.join(program)


def _change_json(data: bytes, source: random.Random) -> bytes:
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError:
        return source.choice(TEXTS)
    if not isinstance(message, dict) or not message:
        return source.choice(TEXTS)
    place: Any = message
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = source.choice(keys)
        deeper = place[key]
        if isinstance(deeper, dict | list) and deeper and source.random() < 0.7:
            place = deeper
            continue
        break
    if source.random() < 0.2:
        del place[key]
    else:
        place[key] = source.choice(VALUES)
    try:
        return orjson.dumps(message)
    except orjson.JSONEncodeError:  # an integer past 64 bits
        return data
