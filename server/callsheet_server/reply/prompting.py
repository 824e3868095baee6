"""What the model is told beyond the persona: who speaks, a script's facts, the actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from callsheet.wire.script import ActionSpec
from callsheet.wire.talk import SamplingSpec, Say, Speaker
from callsheet_server.engine.engine import Priority, Sampling
from callsheet_server.reply.settings import ReplySettings
from callsheet_server.world.memory import Turn
from callsheet_server.world.world import World

__all__ = [
    "action_schema",
    "action_turn",
    "heard_turn",
    "priority_of",
    "sampling_of",
    "speaker_name",
]

NARRATOR = "Narrator"
NO_ACTION = "none"
_PRIORITIES = {
    "player": Priority.PLAYER,
    "npc": Priority.NPC,
    "background": Priority.BACKGROUND,
    "narrator": Priority.BACKGROUND,
}


def speaker_name(world: World, speaker: Speaker) -> str:
    """The name an NPC knows a speaker by."""
    if speaker.name is not None:
        return speaker.name
    if speaker.kind == "narrator" or speaker.id is None:
        return NARRATOR
    if speaker.kind == "player" and speaker.id in world.players:
        return world.players[speaker.id].spec.name
    if speaker.kind == "npc" and speaker.id in world.npcs:
        return world.npcs[speaker.id].spec.name
    return speaker.id


def heard_turn(speaker: str, text: str, material: str | None) -> Turn:
    """What was said, after the facts a script gave for this reply."""
    return Turn(speaker, f"({material})\n{text}" if material else text)


def priority_of(message: Say) -> Priority:
    """As asked for, else after who speaks."""
    return _PRIORITIES[message.priority or message.speaker.kind]


def sampling_of(asked: SamplingSpec | None, settings: ReplySettings) -> Sampling:
    """The request's sampling over the server's."""
    given = asked.model_dump(exclude_none=True) if asked is not None else {}
    return Sampling(
        temperature=given.get("temperature", settings.temperature),
        top_p=given.get("top_p", settings.top_p),
        top_k=given.get("top_k", settings.top_k),
        repetition_penalty=given.get("repetition_penalty", settings.repetition_penalty),
        seed=given.get("seed"),
    )


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
                "properties": {"action": {"const": action.name}, "arguments": action.parameters},
                "required": ["action", "arguments"],
                "additionalProperties": False,
            }
            for action in actions
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
