"""A small valid instance of a JSON schema, always the same for the same schema and seed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from callsheet_server.engine.errors import GenerationError

__all__ = ["sample_json"]


def sample_json(schema: Mapping[str, Any] | bool, seed: int, root: Mapping[str, Any]) -> Any:
    """Return a JSON value valid under ``schema``; ``root`` resolves ``#/...`` references.

    Raises:
        GenerationError: the schema uses what this sampler does not know, e.g. ``pattern``.
    """
    if isinstance(schema, bool):
        return None
    for unknown in ("pattern", "format", "allOf", "not", "if", "patternProperties", "contains"):
        if unknown in schema:
            raise GenerationError(f"json_schema: the scripted engine does not know {unknown!r}")
    if "$ref" in schema:
        return sample_json(_resolve(schema["$ref"], root), seed, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][seed % len(schema["enum"])]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return sample_json(schema[union][seed % len(schema[union])], seed, root)
    kind = schema.get("type", "object" if "properties" in schema else "null")
    kind = kind[seed % len(kind)] if isinstance(kind, list) else kind
    match kind:
        case "object":
            properties = schema.get("properties", {})
            return {
                name: sample_json(properties.get(name, True), seed, root)
                for name in schema.get("required", [])
            }
        case "array":
            first = list(schema.get("prefixItems", []))[: schema.get("minItems", 0)]
            rest = [schema.get("items", True)] * (schema.get("minItems", 0) - len(first))
            return [sample_json(item, seed, root) for item in [*first, *rest]]
        case "string":
            return "a" * schema.get("minLength", 0)
        case "integer" | "number":
            return _number(schema, whole=kind == "integer")
        case "boolean":
            return seed % 2 == 0
        case "null":
            return None
    raise GenerationError(f"json_schema: type: unknown type {kind!r}")


def _number(schema: Mapping[str, Any], *, whole: bool) -> float:
    step = schema.get("multipleOf", 1 if whole else 0.5)
    low = schema.get("minimum", -math.inf)
    above = schema.get("exclusiveMinimum", -math.inf)
    high = schema.get("maximum", math.inf)
    below = schema.get("exclusiveMaximum", math.inf)
    if low <= 0 <= high and above < 0 < below:
        return 0
    if math.isinf(low) and math.isinf(above):
        count = math.floor(min(high, below) / step)
        return (count - (count * step >= below)) * step
    count = math.ceil(max(low, above) / step)
    return (count + (count * step <= above)) * step


def _resolve(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    if not reference.startswith("#/"):
        raise GenerationError(f"json_schema: $ref: {reference!r} is not in the schema itself")
    found: Any = root
    for part in reference[2:].split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    assert isinstance(found, Mapping)
    return found
