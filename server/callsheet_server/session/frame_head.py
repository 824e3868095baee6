"""Head of a text frame: enough of it to refuse a frame before it is parsed in full."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic_core import from_json

from callsheet.wire.codec import CLIENT_MESSAGES
from callsheet.wire.fields import MAX_INTEGER, Role, whole

__all__ = ["FrameHead", "limit_of_role_bytes", "limit_of_type_bytes", "read_head"]

SPACE: Final = r"[ \t\r\n]*"
_HEAD: Final = re.compile(
    rf'{SPACE}\{{{SPACE}"type"{SPACE}:{SPACE}"([a-z_]{{1,40}})"{SPACE}'
    rf'(?:,{SPACE}"id"{SPACE}:{SPACE}([1-9]\d{{0,15}}){SPACE}[,}}]|(?!{SPACE},{SPACE}"id"))'
)
ESCAPED_BYTES: Final = 12
"""Bytes of a character that JSON writes as two escapes."""
NUMBER_BYTES: Final = 26
ROOM_FACTOR: Final = 2
"""Room for white space between the values, and for numbers with needless digits."""
ROOM_BYTES: Final = 1_024


@dataclass(frozen=True, slots=True)
class FrameHead:
    """Type and request id of a message, as far as they were found."""

    type: str | None
    id: int | None


def read_head(text: str) -> FrameHead:
    """Read type and id where clients usually write them, at the front; else parse the JSON.

    Parsing without judging takes a hundredth of what a bad message of that size takes.
    """
    if found := _HEAD.match(text):
        name, digits = found.groups()
        return FrameHead(name, _request_id(int(digits or 0)))
    try:
        value = from_json(text)
    except ValueError:
        return FrameHead(None, None)
    name = value.get("type") if isinstance(value, dict) else None
    if not isinstance(name, str):
        return FrameHead(None, None)
    return FrameHead(name, _request_id(value.get("id")))


def _request_id(value: Any) -> int | None:
    given = whole(value)
    return given if type(given) is int and 1 <= given <= MAX_INTEGER else None


MAX_FACTS_TEXT_BYTES: Final = 262_144
"""Of ``set_facts``, whose facts take at most 48,000 bytes when they are not escaped."""


@cache
def limit_of_type_bytes(name: str) -> int | None:
    """Bytes that no message of this type needs, however it is written.

    None: it holds values of any size, or there is no such type.
    """
    if name == "set_facts":
        return MAX_FACTS_TEXT_BYTES
    if name not in CLIENT_MESSAGES:
        return None
    schema = CLIENT_MESSAGES[name].model_json_schema()
    most = _most_bytes(schema, schema.get("$defs", {}))
    return None if most is None else ROOM_FACTOR * most + ROOM_BYTES


@cache
def limit_of_role_bytes(role: Role) -> int | None:
    """The largest of the limits of the types that a role may send after its hello."""
    names = [name for name, m in CLIENT_MESSAGES.items() if role in m.roles and name != "hello"]
    limits = [limit_of_type_bytes(name) for name in names]
    return None if None in limits else max(filter(None, limits))


def _most_bytes(schema: dict[str, Any], defs: dict[str, Any]) -> int | None:
    """Length of the longest JSON, white space apart, that fits a model's schema; None = any."""
    if "$ref" in schema:
        return _most_bytes(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "const" in schema or "enum" in schema:
        words = schema.get("enum", [schema.get("const")])
        return max(ESCAPED_BYTES * len(str(word)) + 2 for word in words)
    if "anyOf" in schema:
        parts = [_most_bytes(part, defs) for part in schema["anyOf"]]
        return None if None in parts else max(filter(None, parts))
    match schema.get("type"):
        case "string":
            longest = schema.get("maxLength")
            return None if longest is None else ESCAPED_BYTES * longest + 2
        case "array":
            return _most_bytes_of_list(schema, defs)
        case "object" if "properties" in schema:
            most = 2
            for name, value in schema["properties"].items():
                value_bytes = _most_bytes(value, defs)
                if value_bytes is None:
                    return None
                most += ESCAPED_BYTES * len(name) + value_bytes + 4
            return most
        case "integer" | "number" | "boolean" | "null":
            return NUMBER_BYTES
    return None


def _most_bytes_of_list(schema: dict[str, Any], defs: dict[str, Any]) -> int | None:
    if "prefixItems" in schema:
        parts = [_most_bytes(part, defs) for part in schema["prefixItems"]]
        return None if None in parts else sum(filter(None, parts)) + len(parts) + 2
    item = _most_bytes(schema.get("items", {}), defs)
    if item is None or "maxItems" not in schema:
        return None
    return int(schema["maxItems"]) * (item + 1) + 2
