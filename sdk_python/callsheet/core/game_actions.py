"""Actions that a game carries out, from its functions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from callsheet.core.signatures import Signature, SignatureError, signature_of
from callsheet.wire.talk import Action, ActionResult
from callsheet.wire.world import ActionSpec

__all__ = ["ActionBook", "GameAction", "NamesFrom", "action", "action_specs"]

logger: logging.Logger = logging.getLogger("callsheet")

MAX_MESSAGE_CHARS = 1_000


class ActionRefusedError(Exception):
    """An action cannot be carried out as it was asked."""


@dataclass(frozen=True)
class NamesFrom:
    """Names that a text parameter may be now: ``door: Annotated[str, NamesFrom(doors_in_reach)]``.

    ``names`` is called with the NPC's id.
    """

    names: Callable[[str], Iterable[str]]


class GameAction:
    """Something an NPC may do, carried out by a function of the game; made by ``@action``.

    It is called like the function.
    """

    def __init__(self, function: Callable[..., Any], signature: Signature) -> None:
        self.function = function
        self.name: str = signature.spec.name
        self._signature = signature
        self._sources = {
            field: source
            for field, hint in signature.hints.items()
            for source in get_args(hint)[1:]
            if isinstance(source, NamesFrom)
        }

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.function(*arguments, **named)

    def spec(self, npc: str) -> ActionSpec | None:
        """Describe it for one NPC; None = there is nothing now that an argument could name."""
        spec = self._signature.spec
        properties = dict(spec.parameters.get("properties", {}))
        for field, source in self._sources.items():
            if names := list(dict.fromkeys(source.names(npc))):
                properties[field] = {**properties[field], "enum": names}
            elif field in spec.parameters.get("required", ()):
                return None
            else:
                del properties[field]
        return spec.model_copy(update={"parameters": {**spec.parameters, "properties": properties}})

    def begin(self, asked: Action) -> object:
        """Call the function; it may return something to wait for.

        Raises:
            ActionRefusedError: an argument does not fit.
        """
        try:
            read = self._signature.arguments.model_validate(asked.arguments)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(map(str, first["loc"]))
            raise ActionRefusedError(f"the argument {field!r}: {first['msg']}") from None
        arguments = {field: getattr(read, field) for field in type(read).model_fields}
        for field, source in self._sources.items():
            names = list(source.names(asked.npc))
            if field in read.model_fields_set and arguments[field] not in names:
                shown = ", ".join(names)
                raise ActionRefusedError(f"the argument {field!r} must be one of {shown}")
        return self.function(asked.npc, **arguments)


def action(function: Callable[..., Any]) -> GameAction:
    """Make a function of a game something that NPCs may do.

    Its name, docstring and parameters are what the model is told; the first parameter is the id of
    the NPC that acts. It returns None or true if it did it, false if not, or text: what happened.
    An exception is a failure with its message. With asyncio it may be ``async def``; without, it
    runs on a thread of its own.

    Raises:
        TypeError: the signature or the docstring does not say what the model needs.
    """
    try:
        return GameAction(function, signature_of(function))
    except SignatureError as error:
        raise TypeError(str(error)) from None


def action_specs(npc: str, *actions: GameAction) -> tuple[ActionSpec, ...]:
    """Describe what an NPC may do now, for ``NpcSpec`` and ``update_npc``."""
    return tuple(spec for one in actions if (spec := one.spec(npc)) is not None)


class ActionBook:
    """The actions that a game carries out, and what it tells of each."""

    def __init__(self) -> None:
        self._actions: dict[str, GameAction] = {}
        self._unknown: set[str] = set()

    def __len__(self) -> int:
        return len(self._actions)

    def add(self, actions: Iterable[GameAction]) -> None:
        """Carry these out from now on."""
        self._actions.update({one.name: one for one in actions})

    def begin(self, asked: Action) -> object:
        """Begin to carry an action out.

        Raises:
            ActionRefusedError: an argument does not fit, or nobody does it: logged once a name.
            Exception: as the function raises.
        """
        known = self._actions.get(asked.name)
        if known is None:
            if asked.name not in self._unknown:
                self._unknown.add(asked.name)
                logger.warning(
                    "%r wants to do %s, and nobody carries it out: give carry_out an @action "
                    "function of that name",
                    asked.npc,
                    asked.name,
                )
            raise ActionRefusedError(f"the game carries out no action {asked.name}")
        return known.begin(asked)

    def succeeded(self, asked: Action, returned: object) -> ActionResult:
        """Tell what a function returned."""
        message = returned if isinstance(returned, str) else ""
        return _result(asked, ok=returned is not False, message=message)

    def failed(self, asked: Action, error: Exception) -> ActionResult:
        """Tell that a function raised; its traceback is logged, but for refusals."""
        if not isinstance(error, ActionRefusedError):
            logger.error("action %s of %r failed", asked.name, asked.npc, exc_info=error)
        return _result(asked, ok=False, message=f"{asked.name}: {error}")


def _result(asked: Action, *, ok: bool, message: str) -> ActionResult:
    return ActionResult(action=asked.action, ok=ok, message=message[:MAX_MESSAGE_CHARS])
