"""Has the model choose what an NPC does after a reply."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from callsheet.wire.script import ActionChosen, ActionVerdict
from callsheet.wire.world import ActionSpec
from callsheet_server.engine.engine import Delta, Engine, GenerationRequest, Sampling
from callsheet_server.engine.errors import EngineError
from callsheet_server.engine.models.catalogue import MIN_ACTION_PRECISION, chooses_badly
from callsheet_server.session.session import SessionState
from callsheet_server.talk.actions import (
    action_schema,
    action_turn,
    actions_of,
    offered,
    read_choice,
)
from callsheet_server.talk.reply import Reply
from callsheet_server.talk.script_calls import ScriptCalls
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.talk.speaking import generate
from callsheet_server.world.memory import Turn

__all__ = ["ActionChooser", "margin_of_name"]

logger = logging.getLogger(__name__)

MAX_LISTED: Final = 8
"""Actions that a note names."""
ACTION_MAX_TOKENS = 96
"""Longest action with its arguments: three times what a chatty one takes."""
MIN_MARGIN = 0.1
"""An action that was hardly likelier than another, or than none, was not meant."""


class ActionChooser:
    """Lets an NPC choose one of its actions, or none, as one constrained JSON value."""

    def __init__(self, engine: Engine, settings: ReplySettings, calls: ScriptCalls) -> None:
        self._engine = engine
        self._settings = settings
        self._calls = calls

    def note_for(self, actions: Iterable[ActionSpec], gate: str) -> str | None:
        """Tell whoever declares actions if they will not be chosen from; ``gate``: how it can."""
        free = dict.fromkeys(action.name for action in actions if not action.gated)
        if not free or self._may_choose():
            return None
        more = ", ..." if len(free) > MAX_LISTED else ""
        return (
            f"{self._engine.info.model} chooses actions badly (precision below "
            f"{MIN_ACTION_PRECISION}), so {', '.join([*free][:MAX_LISTED])}{more} will only be "
            f'offered where {gate} or with reply.actions = "always"'
        )

    def offered_to(self, reply: Reply, by_game: Sequence[str] | None) -> tuple[str, ...]:
        """Names of the actions offered after a reply if the NPC's script says nothing."""
        return tuple(action.name for action in self._offered(reply, by_game, None))

    async def choose(
        self,
        reply: Reply,
        said: GenerationRequest,
        by_game: Sequence[str] | None,
        by_script: Sequence[str] | None,
    ) -> None:
        """Have an NPC act after what it said.

        That it cannot is logged; what it said stands.

        Args:
            reply: what it said; told of the action.
            said: the request for it.
            by_game: the actions that the game allows this time; None = it said nothing.
            by_script: the same of the NPC's script.
        """
        actions = self._offered(reply, by_game, by_script)
        if not actions:
            return
        name = reply.world.npc(reply.npc).spec.name
        request = replace(
            said,
            request_id=f"{said.request_id}/action",
            turns=(*said.turns, Turn(None, reply.text), action_turn(name, actions)),
            max_new_tokens=ACTION_MAX_TOKENS,
            stop=(),
            sampling=Sampling(temperature=0.0),
            json_schema=action_schema(actions),
        )
        try:
            stream = generate(self._engine, reply, request)
            pieces = [item async for item in stream if isinstance(item, Delta)]
        except EngineError as error:
            logger.warning("no action: %s", error)
            return
        text = "".join(piece.text for piece in pieces)
        choice = await asyncio.to_thread(read_choice, text, actions)
        if choice is None or margin_of_name(pieces) < MIN_MARGIN:
            return
        if await self._is_allowed(reply, *choice):
            reply.act(*choice)

    async def _is_allowed(self, reply: Reply, name: str, arguments: dict[str, Any]) -> bool:
        """Ask the NPC's script, if it judges actions. One that is away or late refuses."""
        found = reply.room.script_for(reply.npc)
        if found is None or not found[0].spec.judges_actions:
            return True
        script, mod = found
        if mod.state is not SessionState.OPEN:
            return False
        try:
            verdict = await self._calls.ask(
                mod,
                lambda call: ActionChosen(
                    script=script.spec.script,
                    call=call,
                    npc=reply.npc,
                    name=name,
                    arguments=arguments,
                    deadline_s=self._calls.timeout_s,
                ),
            )
        except TimeoutError:
            logger.info("script %s did not judge %s in time", script.spec.script, name)
            return False
        return isinstance(verdict, ActionVerdict) and verdict.ok

    def _offered(
        self, reply: Reply, by_game: Sequence[str] | None, by_script: Sequence[str] | None
    ) -> tuple[ActionSpec, ...]:
        found = reply.room.script_for(reply.npc)
        npc = reply.world.npc(reply.npc).spec
        actions = actions_of(npc, None if found is None else found[0].spec)
        return offered(actions, by_game, by_script, may_choose=self._may_choose())

    def _may_choose(self) -> bool:
        always = self._settings.actions == "always"
        return always or not chooses_badly(self._engine.info.model)


def margin_of_name(pieces: Sequence[Delta]) -> float:
    """The least margin of the pieces that make up the action's name; 1 = the engine tells none."""
    text, least = "", 1.0
    for piece in pieces:
        text += piece.text
        least = min(least, 1.0 if piece.margin is None else piece.margin)
        if '"arguments"' in text:
            break
    return least
