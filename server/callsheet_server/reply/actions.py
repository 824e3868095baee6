"""The actions a script lets its NPCs take: checked, offered to the model, read back from it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from callsheet.wire.script import ActionSpec
from callsheet_server.reply.prompting import NARRATOR
from callsheet_server.world.errors import bad_value
from callsheet_server.world.memory import Turn

__all__ = ["action_schema", "action_turn", "check_actions", "read_choice"]

logger = logging.getLogger(__name__)

NO_ACTION = "none"
MAX_REASON_CHARS = 200
_REFERENCES: Final = ("$ref", "$dynamicRef")


def check_actions(actions: Sequence[ActionSpec]) -> None:
    """Refuse action schemas that cannot be generated from, or that point outside themselves.

    Raises:
        WorldError: ``bad_value``.
    """
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


def action_turn(name: str, actions: Sequence[ActionSpec]) -> Turn:
    """Asks which action the NPC takes after what was just said."""
    offers = "\n".join(f"- {a.name}: {a.description}" for a in actions)
    return Turn(
        NARRATOR,
        f"After these words, what does {name} do? Answer with one JSON object.\n{offers}\n"
        f"- {NO_ACTION}: {name} only talks.",
    )


def action_schema(actions: Sequence[ActionSpec]) -> dict[str, Any]:
    """The JSON schema of one action with its arguments, or none."""
    return {
        "anyOf": [
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
            for index, action in enumerate(actions)
        ]
        + [
            {
                "type": "object",
                "properties": {"action": {"const": NO_ACTION}},
                "required": ["action"],
                "additionalProperties": False,
            }
        ]
    }


def read_choice(text: str, actions: Sequence[ActionSpec]) -> tuple[str, dict[str, Any]] | None:
    """The action and its arguments; None for no action, or one that is cut off or not valid."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        logger.warning("an action was not complete JSON (%d characters)", len(text))
        return None
    error = next(Draft202012Validator(action_schema(actions)).iter_errors(value), None)
    if error is not None:
        logger.warning("an action did not fit its schema at %s", error.json_path)
        return None
    return None if value["action"] == NO_ACTION else (value["action"], value["arguments"])


def _problem(schema: dict[str, Any]) -> str | None:
    """What is wrong with the schema of an action's parameters."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"not a JSON schema: {error.message[:MAX_REASON_CHARS]}"
    if schema.get("type") != "object":
        return 'must have "type": "object"'
    for keyword, value in _keywords(schema):
        if keyword == "$id":
            return 'must not have "$id": references are resolved within the schema'
        if keyword in _REFERENCES and not _resolves(schema, str(value)):
            return f"{keyword} {str(value)[:MAX_REASON_CHARS]!r} does not point into the schema"
    return None


def _keywords(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every key of every object inside, with its value."""
    if isinstance(schema, dict):
        yield from schema.items()
    if isinstance(schema, dict | list):
        for value in schema.values() if isinstance(schema, dict) else schema:
            yield from _keywords(value)


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
        if key in _REFERENCES and isinstance(value, str)
        else _rebase(value, root)
        for key, value in schema.items()
    }
