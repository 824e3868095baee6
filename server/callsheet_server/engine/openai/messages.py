"""A conversation as chat messages that any model's template takes.

Many templates want user and assistant to take turns, the user first. So the turns of one side that
follow each other are one message, and a silent user goes before an NPC that speaks first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from callsheet_server.engine.plain_text import defused
from callsheet_server.engine.prompt import SILENCE, said_text
from callsheet_server.world.memory import Turn

__all__ = ["chat_messages"]


def chat_messages(system: str, turns: Sequence[Turn], *, system_role: bool) -> list[dict[str, str]]:
    """Make the messages; without a system role, ``system`` is how the user begins."""
    messages = [
        _message("assistant" if own else "user", "\n".join(defused(said_text(t)) for t in side))
        for own, side in groupby(turns, key=lambda turn: turn.speaker is None)
    ]
    npc_first = messages[0]["role"] == "assistant"
    if system_role:
        silence = [_message("user", SILENCE)] if npc_first else []
        return [_message("system", defused(system)), *silence, *messages]
    if npc_first:
        return [_message("user", defused(system)), *messages]
    first, *others = messages
    return [_message("user", f"{defused(system)}\n\n{first['content']}"), *others]


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
