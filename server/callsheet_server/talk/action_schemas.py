"""Schemas of actions' arguments, checked as they arrive.

They come from games and mods and are judged in the event loop. So a message holds a bounded number
of them, and none that makes a choice slow to check: no regular expressions, and no references but
into the schema itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import (
    ConfigDict,
    Field,
    PositiveFloat,
    TypeAdapter,
    ValidationError,
)
from typing_extensions import TypedDict

from callsheet.wire.fields import Count
from callsheet.wire.world import ActionSpec
from callsheet_server.talk.schema_cost import least_chars, most_checks
from callsheet_server.world.errors import bad_value

__all__ = ["MAX_MESSAGE_NODES", "MAX_SCHEMA_NODES", "NO_ACTION", "check_actions"]

NO_ACTION: Final = "none"
"""Name that stands for no action."""
MAX_REASON_CHARS: Final = 200
MAX_SCHEMA_NODES: Final = 1_000
"""Objects, arrays and values in the schemas of all actions of a script, or of an NPC."""
MAX_MESSAGE_NODES: Final = 50_000
"""The same in one message, what is alike counted once: 600 NPCs with five actions each."""
MAX_LEAST_CHARS: Final = 2_000
"""Length of the shortest arguments: a choice has fewer tokens than that."""
MAX_CHECKS_OF_VALUE: Final = 500
"""Schemas that one value is judged by, references and alternatives followed."""
_UNSUPPORTED: Final = {
    "$id": "references are resolved within the schema",
    "$anchor": "point to a place with $ref and its path",
    "$dynamicRef": "use $ref",
    "$dynamicAnchor": "use $ref",
    "patternProperties": "name the properties",
    "unevaluatedProperties": "use additionalProperties",
    "unevaluatedItems": "use items",
}
Kind = Literal["array", "boolean", "integer", "null", "number", "object", "string"]
Schemas = Annotated[list["bool | _Schema"], Field(min_length=1)]


_Schema = TypedDict(
    "_Schema",
    {
        "$defs": "dict[str, bool | _Schema]",
        "$ref": str,
        "additionalProperties": "bool | _Schema",
        "allOf": "Schemas",
        "anyOf": "Schemas",
        "contains": "bool | _Schema",
        "dependentRequired": dict[str, list[str]],
        "dependentSchemas": "dict[str, bool | _Schema]",
        "description": str,
        "else": "bool | _Schema",
        "enum": list[Any],
        "exclusiveMaximum": float,
        "exclusiveMinimum": float,
        "format": str,
        "if": "bool | _Schema",
        "items": "bool | _Schema",
        "maxContains": Count,
        "maxItems": Count,
        "maxLength": Count,
        "maxProperties": Count,
        "maximum": float,
        "minContains": Count,
        "minItems": Count,
        "minLength": Count,
        "minProperties": Count,
        "minimum": float,
        "multipleOf": PositiveFloat,
        "not": "bool | _Schema",
        "oneOf": "Schemas",
        "pattern": str,
        "prefixItems": "Schemas",
        "properties": "dict[str, bool | _Schema]",
        "propertyNames": "bool | _Schema",
        "required": list[str],
        "then": "bool | _Schema",
        "title": str,
        "type": Kind | list[Kind],
        "uniqueItems": bool,
    },
    total=False,
)
"""Keywords of draft 2020-12 whose values a check of a choice relies on."""
_Schema.__pydantic_config__ = ConfigDict(strict=True)  # type: ignore[attr-defined]
_SCHEMA: Final[TypeAdapter[Any]] = TypeAdapter(bool | _Schema)
_TAGS: Final = {"bool", "_Schema"}
"""Steps in the place of an error that are pydantic's."""


def check_actions(actions: Mapping[str, Sequence[ActionSpec]]) -> None:
    """Refuse action schemas that cannot be generated from, or that point outside themselves.

    Args:
        actions: lists of actions in one message, by the field they are in.

    Raises:
        WorldError: ``bad_value``, naming the field.
    """
    seen: set[bytes] = set()
    message_nodes = 0
    for field, specs in actions.items():
        alike = orjson.dumps([[spec.name, spec.parameters] for spec in specs])
        if alike not in seen:
            seen.add(alike)
            nodes = _check_list(field, specs)
            message_nodes += nodes
            _check_nodes(field, message_nodes, MAX_MESSAGE_NODES, "all actions of a message")


def _check_list(field: str, specs: Sequence[ActionSpec]) -> int:
    """Check one list; return the nodes in its schemas."""
    names: set[str] = set()
    nodes = 0
    for index, spec in enumerate(specs):
        if spec.name in names or spec.name == NO_ACTION:
            raise bad_value(
                f"every action needs a name of its own, and {NO_ACTION!r} means no action",
                f"{field}.{index}.name",
                f'"{spec.name}"',
            )
        names.add(spec.name)
        inside, objects = _inside(spec.parameters)
        nodes += inside
        _check_nodes(field, nodes, MAX_SCHEMA_NODES, "these actions")
        problem = _problem(spec.parameters, objects)
        if problem is not None:
            raise bad_value(problem, f"{field}.{index}.parameters", f'"{spec.name}"')
    return nodes


def _check_nodes(field: str, nodes: int, limit: int, whose: str) -> None:
    if nodes > limit:
        raise bad_value(
            f"the schemas of {whose} may have {limit} objects, arrays and values in all",
            field,
            str(nodes),
        )


def _inside(schema: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """Count a schema and everything inside it; list the objects among them."""
    nodes, objects, waiting = 0, [], [schema]
    while waiting:
        value: Any = waiting.pop()
        nodes += 1
        if isinstance(value, dict):
            objects.append(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return nodes, objects


def _problem(schema: dict[str, Any], objects: Sequence[dict[str, Any]]) -> str | None:
    """Say what is wrong with the schema of an action's parameters; None = nothing."""
    try:
        _SCHEMA.validate_python(schema)
    except ValidationError as error:
        worst = max(error.errors(include_url=False), key=lambda one: len(one["loc"]))
        place = ".".join(str(step) for step in worst["loc"] if str(step) not in _TAGS)
        return f"not a JSON schema: {place}: {worst['msg']}"[:MAX_REASON_CHARS]
    if schema.get("type") != "object":
        return 'must have "type": "object"'
    for inside in objects:
        for keyword in _UNSUPPORTED.keys() & inside.keys():
            return f"must not have {keyword!r}: {_UNSUPPORTED[keyword]}"
        if isinstance(inside.get("pattern"), str):
            return "must not have 'pattern': list what is allowed with enum, or bound maxLength"
        if "$ref" in inside and not _is_schema(_target(schema, str(inside["$ref"]))):
            shown = str(inside["$ref"])[:MAX_REASON_CHARS]
            return f"$ref {shown!r} points to no schema in this one"
    return _cost_problem(schema, objects)


def _cost_problem(schema: dict[str, Any], objects: Sequence[dict[str, Any]]) -> str | None:
    """Say what is wrong with a schema whose values or checks have no bound; None = nothing."""

    def resolve(reference: str) -> Any:
        return _target(schema, reference)

    if most_checks(objects, resolve) > MAX_CHECKS_OF_VALUE:
        return f"a value would be judged by more than {MAX_CHECKS_OF_VALUE} schemas; use fewer $ref"
    if least_chars(schema, objects, resolve) > MAX_LEAST_CHARS:
        return f"no value that fits is shorter than {MAX_LEAST_CHARS} characters"
    return None


def _is_schema(value: Any) -> bool:
    try:
        _SCHEMA.validate_python(value)
    except ValidationError:
        return False
    return True


def _target(schema: Any, reference: str) -> Any:
    """Value in the schema that a JSON pointer (RFC 6901, section 6) names; None = there is none."""
    root, *path = reference.split("/")
    for part in path:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(schema, list) and key.isdecimal() and int(key) < len(schema):
            schema = schema[int(key)]
        elif isinstance(schema, dict) and key in schema:
            schema = schema[key]
        else:
            return None
    return schema if root == "#" else None
