"""Actions of NPCs: which may be taken, how they are offered, and how a choice is read back.

A schema comes from a game or a mod and what is checked with it from a model. So schemas are small
(``action_schemas``), and a check, which may run in any thread, gives up after ``MAX_CHECKS``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from itertools import islice
from typing import Any, Final

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from callsheet.wire.script import RegisterScript
from callsheet.wire.world import ActionSpec, NpcSpec
from callsheet_server.talk.action_schemas import NO_ACTION
from callsheet_server.talk.prompting import NARRATOR
from callsheet_server.world.memory import Turn

__all__ = ["action_schema", "action_turn", "actions_of", "offered", "read_choice"]

logger = logging.getLogger(__name__)

MAX_CHECKS: Final = 2_000
"""Keywords looked at in judging one choice; an honest schema takes some dozens."""
VALUES_PER_CHECK: Final = 8
"""Values of a keyword, of ``enum`` say, that take about as long as a keyword."""


class _TooManyChecksError(Exception):
    """A choice was looked at for too long."""


_checks_left: ContextVar[Iterator[int]] = ContextVar("checks left")
_Check = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


def _bounded(check: _Check) -> _Check:
    def checked(
        validator: Any, value: Any, instance: Any, schema: Any
    ) -> Iterator[ValidationError]:
        cost = 1 + len(value) // VALUES_PER_CHECK if isinstance(value, list | dict) else 1
        if len(list(islice(_checks_left.get(), cost))) < cost:
            raise _TooManyChecksError
        yield from check(validator, value, instance, schema) or ()

    return checked


_BoundedValidator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {keyword: _bounded(check) for keyword, check in Draft202012Validator.VALIDATORS.items()},
)


def actions_of(npc: NpcSpec, script: RegisterScript | None) -> tuple[ActionSpec, ...]:
    """The actions an NPC may take: the game's that its script keeps, and the script's own.

    Those of the script replace those of the game with the same name. What the game does not permit
    is left out of both.
    """
    given = npc.action_specs or ()
    if script is not None:
        own = {action.name for action in script.actions}
        kept = None if script.game_actions is None else frozenset(script.game_actions)
        given = (
            *(a for a in given if a.name not in own and (kept is None or a.name in kept)),
            *script.actions,
        )
    return tuple(a for a in given if npc.actions is None or a.name in npc.actions)


def offered(
    actions: Sequence[ActionSpec],
    by_game: Sequence[str] | None,
    by_script: Sequence[str] | None,
    *,
    may_choose: bool,
) -> tuple[ActionSpec, ...]:
    """The actions that the model is asked to choose from after one reply.

    Args:
        actions: what the NPC may take at all.
        by_game: what the game allows this time; None = it said nothing.
        by_script: what the NPC's script allows this time; None = it said nothing.
        may_choose: the model chooses well enough to be asked without anybody's leave.
    """
    said = [frozenset(names) for names in (by_game, by_script) if names is not None]
    if not said:
        return tuple(a for a in actions if may_choose and not a.gated)
    return tuple(a for a in actions if all(a.name in names for names in said))


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


def _rebase(schema: Any, root: str) -> Any:
    """A schema as it reads inside another one, at ``root``."""
    if isinstance(schema, list):
        return [_rebase(value, root) for value in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: root + value[1:] if key == "$ref" and isinstance(value, str) else _rebase(value, root)
        for key, value in schema.items()
    }
