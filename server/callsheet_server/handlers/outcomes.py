"""Outcomes of actions: the NPC remembers them, and the mod whose script speaks for it is told."""

from __future__ import annotations

from typing import Any, Final

import orjson

from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.script import ActionDone
from callsheet.wire.talk import ActionResult
from callsheet_server.rooms.room import Room, TakenAction
from callsheet_server.talk.learning import learn
from callsheet_server.talk.prompting import NARRATOR
from callsheet_server.talk.visible import one_line
from callsheet_server.world.memory import Turn

__all__ = ["take_outcome"]

MAX_ARGUMENTS_CHARS: Final = 200
"""Arguments of an action, as they are remembered."""
MAX_MESSAGE_CHARS: Final = 300
"""Message of the game, as it is remembered: some 100 tokens."""


def take_outcome(room: Room, result: ActionResult) -> None:
    """Take in what the game says became of an action.

    Raises:
        CallsheetError: ``unknown_request``, no such action is under way.
    """
    taken = room.actions.pop(result.action, None)
    if taken is None:
        raise error_for(
            ErrorCode.UNKNOWN_REQUEST,
            f"no action {result.action} waits for its result",
            field="action",
            value=str(result.action),
        )
    npc = room.world.npcs.get(taken.npc)
    if npc is None:
        return
    turn = outcome_turn(npc.spec.name, taken, result)
    room.journal.submit(learn(room.memory, {taken.npc: [turn]}, room.world.game_time_s))
    found = room.script_for(taken.npc)
    if found is not None:
        script, mod = found
        mod.send(
            ActionDone(
                script=script.spec.script,
                npc=taken.npc,
                action=result.action,
                name=taken.name,
                ok=result.ok,
                message=result.message,
            )
        )


def outcome_turn(name: str, taken: TakenAction, result: ActionResult) -> Turn:
    """Tell in the narrator's words what an NPC did, or could not do."""
    shown = ", ".join(f"{key}: {_shown(value)}" for key, value in taken.arguments.items())
    given = f" ({shown[:MAX_ARGUMENTS_CHARS]})" if shown else ""
    did = (
        f"{name} has done {taken.name}{given}"
        if result.ok
        else f"{name} failed: {taken.name}{given}"
    )
    message = one_line(result.message)[:MAX_MESSAGE_CHARS]
    return Turn(NARRATOR, f"{did}: {message}" if message else f"{did}.")


def _shown(value: Any) -> str:
    return one_line(value if isinstance(value, str) else orjson.dumps(value).decode())
