"""Worst cases of a JSON schema: the shortest value that fits it, and the checks of one value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

__all__ = ["least_chars", "most_checks"]

PASSES: Final = 8
"""Times that references are followed from a value to the values inside it."""
_IN_PLACE: Final = ("allOf", "anyOf", "oneOf")
_IN_PLACE_ONE: Final = ("not", "if", "then", "else")
Resolve = Callable[[str], Any]
"""The schema that a reference points to."""


def least_chars(schema: Any, objects: Sequence[dict[str, Any]], resolve: Resolve) -> float:
    """Length of the shortest JSON that fits a schema, about; infinite if there seems to be none.

    Args:
        schema: one of ``objects``.
        objects: all objects in it, outer ones first.
        resolve: follows a reference.
    """
    known: dict[int, float] = {}

    def of(part: Any) -> float:
        if isinstance(part, dict):
            return known.get(id(part), math.inf)
        return math.inf if part is False else 1.0

    for _ in range(PASSES):
        before = dict(known)
        for part in reversed(objects):
            known[id(part)] = max(_parts(part, of, resolve), default=1.0)
        if known == before:
            break
    return of(schema)


def most_checks(objects: Iterable[dict[str, Any]], resolve: Resolve) -> float:
    """Schemas that one value may be judged by, at the worst place among ``objects``.

    Infinite if they go in a circle without going into the value.
    """
    known: dict[int, float] = {}

    def of(part: Any) -> float:
        if not isinstance(part, dict):
            return 1.0
        if id(part) not in known:
            known[id(part)] = math.inf  # Whoever comes here again before it is known goes round.
            known[id(part)] = 1.0 + sum(of(inner) for inner in _in_place(part, resolve))
        return known[id(part)]

    try:
        return max(map(of, objects), default=0.0)
    except RecursionError:
        return math.inf


def _in_place(schema: Mapping[str, Any], resolve: Resolve) -> Iterator[Any]:
    """The schemas that judge the same value."""
    if isinstance(reference := schema.get("$ref"), str):
        yield resolve(reference)
    for keyword in _IN_PLACE:
        yield from schema.get(keyword, ())
    for keyword in _IN_PLACE_ONE:
        if keyword in schema:
            yield schema[keyword]
    dependent = schema.get("dependentSchemas", {})
    yield from dependent.values()


def _parts(
    schema: Mapping[str, Any], of: Callable[[Any], float], resolve: Resolve
) -> Iterator[float]:
    """Lengths, each of which a value that fits has at least. Not every object is a schema."""
    if isinstance(reference := schema.get("$ref"), str):
        yield of(resolve(reference))
    if isinstance(parts := schema.get("allOf"), list):
        yield from map(of, parts)
    for keyword in ("anyOf", "oneOf"):
        if isinstance(parts := schema.get(keyword), list):
            yield min(map(of, parts), default=1.0)
    if "const" in schema:
        yield len(orjson.dumps(schema["const"]))
    elif isinstance(values := schema.get("enum"), list):
        yield min((len(orjson.dumps(value)) for value in values), default=math.inf)
    elif isinstance(kinds := schema.get("type"), str | list):
        kinds = [kinds] if isinstance(kinds, str) else kinds
        yield min((_least_of_kind(kind, schema, of) for kind in kinds), default=1.0)


def _least_of_kind(kind: Any, schema: Mapping[str, Any], of: Callable[[Any], float]) -> float:
    match kind:
        case "string":
            return 2.0 + float(schema.get("minLength", 0))
        case "array":
            count = int(max(schema.get("minItems", 0), schema.get("minContains", 0)))
            prefix = schema.get("prefixItems", [])[:count]
            length = 2.0 + sum(map(of, prefix))
            if rest := count - len(prefix):
                length += rest * (1.0 + of(schema.get("items", True)))
            return length
        case "object":
            properties = schema.get("properties", {})
            needed = schema.get("required", [])
            named = sum(len(name) + 4.0 + of(properties.get(name, True)) for name in needed)
            more = max(0, int(schema.get("minProperties", 0)) - len(needed))
            return 2.0 + named + 5.0 * more
    return 1.0
