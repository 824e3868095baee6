"""The actions a script lets its NPCs take: checked, offered to the model, read back from it.

A schema comes from a mod and what is checked with it from a model, and both are judged in the event
loop. So neither may take long: schemas are small and have no regular expressions, and a check gives
up after ``MAX_CHECKS``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Final

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

from callsheet.wire.script import ActionSpec
from callsheet_server.talk.prompting import NARRATOR
from callsheet_server.world.errors import bad_value
from callsheet_server.world.memory import Turn

__all__ = ["action_schema", "action_turn", "check_actions", "offered", "permitted", "read_choice"]

logger = logging.getLogger(__name__)

NO_ACTION = "none"
MAX_REASON_CHARS = 200
MAX_SCHEMA_NODES: Final = 1_000
"""Objects, arrays and values in the schemas of all actions of a script."""
MAX_CHECKS: Final = 10_000
"""Keywords looked at in judging one choice; an honest schema takes some dozens."""
_REFERENCE: Final = "$ref"
_UNSUPPORTED: Final = {
    "$id": "references are resolved within the schema",
    "$anchor": "point to a place with $ref and its path",
    "$dynamicRef": "use $ref",
    "$dynamicAnchor": "use $ref",
    "patternProperties": "name the properties",
    "unevaluatedProperties": "use additionalProperties",
    "unevaluatedItems": "use items",
}


class _TooManyChecksError(Exception):
    """A choice was looked at for too long."""


_checks_left: ContextVar[Iterator[int]] = ContextVar("checks left")
_Check = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


def _bounded(check: _Check) -> _Check:
    def checked(
        validator: Any, value: Any, instance: Any, schema: Any
    ) -> Iterator[ValidationError]:
        if next(_checks_left.get(), None) is None:
            raise _TooManyChecksError
        yield from check(validator, value, instance, schema) or ()

    return checked


_BoundedValidator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {keyword: _bounded(check) for keyword, check in Draft202012Validator.VALIDATORS.items()},
)


def check_actions(actions: Sequence[ActionSpec]) -> None:
    """Refuse action schemas that cannot be generated from, or that point outside themselves.

    Raises:
        WorldError: ``bad_value``.
    """
    nodes = sum(1 + sum(1 for _ in _nodes(a.parameters)) for a in actions)
    if nodes > MAX_SCHEMA_NODES:
        raise bad_value(
            f"the schemas of a script's actions may have {MAX_SCHEMA_NODES} objects, arrays and "
            f"values in all; these have {nodes}",
            "actions",
            f"{len(actions)} actions",
        )
    names: set[str] = set()
    for index, action in enumerate(actions):
        if action.name in names or action.name == NO_ACTION:
            raise bad_value(
                f"every action needs a name of its own, and {NO_ACTION!r} means no action",
                f"actions.{index}.name",
                f'"{action.name}"',
            )
        names.add(action.name)
        problem = _problem(action.parameters)
        if problem is not None:
            raise bad_value(problem, f"actions.{index}.parameters", f'"{action.name}"')


def permitted(
    actions: Sequence[ActionSpec], permissions: Sequence[str] | None
) -> tuple[ActionSpec, ...]:
    """The actions an NPC may take: what its script offers and, unless that is None, permitted."""
    return tuple(a for a in actions if permissions is None or a.name in permissions)


def offered(
    actions: Sequence[ActionSpec], allowed: Sequence[str] | None, *, may_choose: bool
) -> tuple[ActionSpec, ...]:
    """The actions that the model is asked to choose from after one reply.

    Args:
        actions: what the NPC may take at all.
        allowed: what its script allows this time; None = it said nothing.
        may_choose: the model chooses well enough to be asked without the script's leave.
    """
    if allowed is not None:
        return tuple(a for a in actions if a.name in allowed)
    return tuple(a for a in actions if may_choose and not a.gated)


def action_turn(name: str, actions: Sequence[ActionSpec]) -> Turn:
    """Asks which action the NPC takes after what was just said."""
    offers = "\n".join(f"- {a.name}: {a.description}" for a in actions)
    return Turn(
        NARRATOR,
        f"After these words, what does {name} do? Answer with one JSON object.\n"
        f"- {NO_ACTION}: {name} only talks, as nearly always.\n{offers}",
    )


def action_schema(actions: Sequence[ActionSpec]) -> dict[str, Any]:
    """The JSON schema of one action with its arguments, or none."""
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": {"action": {"const": NO_ACTION}},
                "required": ["action"],
                "additionalProperties": False,
            }
        ]
        + [
            {
                "type": "object",
                "properties": {
                    "action": {"const": action.name},
                    "arguments": _rebase(
                        action.parameters, f"#/anyOf/{index}/properties/arguments"
                    ),
                },
                "required": ["action", "arguments"],
                "additionalProperties": False,
            }
            for index, action in enumerate(actions, start=1)
        ]
    }


def read_choice(text: str, actions: Sequence[ActionSpec]) -> tuple[str, dict[str, Any]] | None:
    """The action and its arguments; None for no action, or one that is cut off or not valid."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        logger.warning("an action was not complete JSON (%d characters)", len(text))
        return None
    _checks_left.set(iter(range(MAX_CHECKS)))
    try:
        error = next(_BoundedValidator(action_schema(actions)).iter_errors(value), None)
    except (_TooManyChecksError, RecursionError):
        logger.warning("an action's schema takes too long to check; simplify its references")
        return None
    if error is not None:
        logger.warning("an action did not fit its schema at %s", error.json_path)
        return None
    return None if value["action"] == NO_ACTION else (value["action"], value["arguments"])


def _problem(schema: dict[str, Any]) -> str | None:
    """Say what is wrong with the schema of an action's parameters; None = nothing."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"not a JSON schema: {error.message[:MAX_REASON_CHARS]}"
    if schema.get("type") != "object":
        return 'must have "type": "object"'
    for keyword, value in _keywords(schema):
        if keyword in _UNSUPPORTED:
            return f"must not have {keyword!r}: {_UNSUPPORTED[keyword]}"
        if keyword == "pattern" and isinstance(value, str):
            return "must not have 'pattern': list what is allowed with enum, or bound maxLength"
        if keyword == _REFERENCE and not _resolves(schema, str(value)):
            return f"{keyword} {str(value)[:MAX_REASON_CHARS]!r} does not point into the schema"
    return None


def _keywords(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every key of every object inside, with its value."""
    if isinstance(schema, dict):
        yield from schema.items()
    if isinstance(schema, dict | list):
        for value in schema.values() if isinstance(schema, dict) else schema:
            yield from _keywords(value)


def _nodes(schema: Any) -> Iterator[Any]:
    """Everything inside a schema."""
    if isinstance(schema, dict | list):
        for value in schema.values() if isinstance(schema, dict) else schema:
            yield value
            yield from _nodes(value)


def _resolves(schema: Any, reference: str) -> bool:
    """True for a JSON pointer (RFC 6901, section 6) to something in the schema."""
    root, *path = reference.split("/")
    for part in path:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(schema, list) and key.isdecimal() and int(key) < len(schema):
            schema = schema[int(key)]
        elif isinstance(schema, dict) and key in schema:
            schema = schema[key]
        else:
            return False
    return root == "#"


def _rebase(schema: Any, root: str) -> Any:
    """A schema as it reads inside another one, at ``root``."""
    if isinstance(schema, list):
        return [_rebase(value, root) for value in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: root + value[1:]
        if key == _REFERENCE and isinstance(value, str)
        else _rebase(value, root)
        for key, value in schema.items()
    }
