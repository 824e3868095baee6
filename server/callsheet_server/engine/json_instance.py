"""A JSON value that is valid under a schema, without a model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

from callsheet_server.engine.errors import GenerationError

__all__ = ["instance_of"]

MAX_DEPTH = 32
MAX_VALUES = 1_000
"""Values inside one value, and characters of a text."""


def instance_of(schema: Mapping[str, Any], choice: int) -> Any:
    """Make a value; ``choice`` picks among alternatives.

    Raises:
        GenerationError: the schema asks for more than is understood here (patterns, ``not``, ...),
            or for a value that is too large.
    """
    value = _make(schema, schema, choice, 0, iter(range(MAX_VALUES)))
    error = next(Draft202012Validator(schema).iter_errors(value), None)
    if error is not None:
        raise GenerationError(f"no instance of this JSON schema was found: {error.message:.200}")
    return value


def _make(
    schema: Any, root: Mapping[str, Any], choice: int, depth: int, left: Iterator[int]
) -> Any:
    """Make a value; each one inside takes one of ``left``."""
    if next(left, None) is None:
        raise GenerationError(f"this JSON schema asks for more than {MAX_VALUES} values")
    if depth > MAX_DEPTH or not isinstance(schema, Mapping):
        return None
    if "$ref" in schema:
        return _make(_resolve(schema["$ref"], root), root, choice, depth + 1, left)
    if "const" in schema:
        return schema["const"]
    for alternatives in ("enum", "anyOf", "oneOf"):
        if schema.get(alternatives):
            chosen = schema[alternatives][choice % len(schema[alternatives])]
            return (
                chosen if alternatives == "enum" else _make(chosen, root, choice, depth + 1, left)
            )
    kinds = schema.get("type", "string")
    match kinds if isinstance(kinds, str) else kinds[choice % len(kinds)]:
        case "object":
            properties = schema.get("properties", {})
            return {
                name: _make(properties.get(name, {}), root, choice, depth + 1, left)
                for name in schema.get("required", ())
            }
        case "array":
            item = schema.get("items", {})
            count = _size(schema.get("minItems", 0))
            return [_make(item, root, choice, depth + 1, left) for _ in range(count)]
        case "integer":
            return _number(schema, 1)
        case "number":
            return float(_number(schema, schema.get("multipleOf", 0)))
        case "boolean":
            return bool(choice % 2)
        case "null":
            return None
        case _:
            least = _size(schema.get("minLength", 0))
            return "x" * max(least, min(1, schema.get("maxLength", 1)))


def _size(wanted: int) -> int:
    if wanted > MAX_VALUES:
        raise GenerationError(f"this JSON schema asks for {wanted} values or characters in one")
    return wanted


def _number(schema: Mapping[str, Any], step: float) -> float:
    """The least number the bounds allow, 0 if there is no lower one; a multiple of ``step``."""
    step = schema.get("multipleOf", step)
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    if math.isinf(low):
        low = min(0, high - (step or 1)) if high <= 0 else 0
    value: float = math.ceil(low / step) * step if step else low
    if value == schema.get("exclusiveMinimum"):
        value += step or min(1, (high - low) / 2)
    return value


def _resolve(reference: str, root: Mapping[str, Any]) -> Any:
    """Follow a JSON pointer (RFC 6901) into the schema; None = it points to nothing."""
    found: Any = root
    for part in reference.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list):
            found = found[int(key)]
        else:
            found = found.get(key) if isinstance(found, Mapping) else None
    return found
