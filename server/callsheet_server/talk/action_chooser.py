"""Has the model choose what an NPC does after a reply."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from callsheet.wire.script import RegisterScript
from callsheet_server.engine.engine import Delta, Engine, GenerationRequest, Sampling
from callsheet_server.engine.errors import EngineError
from callsheet_server.engine.models.catalogue import MIN_ACTION_PRECISION, chooses_badly
from callsheet_server.talk.actions import (
    action_schema,
    action_turn,
    offered,
    permitted,
    read_choice,
)
from callsheet_server.talk.reply import Reply
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.talk.speaking import generate
from callsheet_server.world.memory import Turn

__all__ = ["ActionChooser", "margin_of_name"]

logger = logging.getLogger(__name__)

ACTION_MAX_TOKENS = 96
"""Longest action with its arguments: three times what a chatty one takes."""
MIN_MARGIN = 0.1
"""An action that was hardly likelier than another, or than none, was not meant."""


class ActionChooser:
    """Lets an NPC choose one of its script's actions, or none, as one constrained JSON value."""

    def __init__(self, engine: Engine, settings: ReplySettings) -> None:
        self._engine = engine
        self._settings = settings

    def note_for(self, script: RegisterScript) -> str | None:
        """Tell a script's author if its actions will not be chosen from."""
        free = [action.name for action in script.actions if not action.gated]
        if not free or self._may_choose():
            return None
        return (
            f"{self._engine.info.model} chooses actions badly (precision below "
            f"{MIN_ACTION_PRECISION}), so {', '.join(free)} will only be offered where the script "
            'allows it (when=, or allow in on_hear) or with reply.actions = "always"'
        )

    async def choose(
        self, reply: Reply, said: GenerationRequest, allowed: Sequence[str] | None
    ) -> None:
        """Have an NPC act after what it said.

        That it cannot is logged; what it said stands.

        Args:
            reply: what it said; told of the action.
            said: the request for it.
            allowed: the actions that the script allows this time; None = it said nothing.
        """
        found = reply.room.script_for(reply.npc)
        if found is None:
            return
        npc = reply.world.npc(reply.npc).spec
        may_take = permitted(found[0].spec.actions, npc.actions)
        actions = offered(may_take, allowed, may_choose=self._may_choose())
        if not actions:
            return
        request = replace(
            said,
            request_id=f"{said.request_id}/action",
            turns=(*said.turns, Turn(None, reply.text), action_turn(npc.name, actions)),
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
        choice = read_choice("".join(piece.text for piece in pieces), actions)
        if choice is not None and margin_of_name(pieces) >= MIN_MARGIN:
            reply.act(*choice)

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
