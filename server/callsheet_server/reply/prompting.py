"""What the model is told beyond the persona: who speaks, and a script's facts."""

from __future__ import annotations

from callsheet.wire.talk import SamplingSpec, Say, Speaker
from callsheet_server.engine.engine import Priority, Sampling
from callsheet_server.reply.settings import ReplySettings
from callsheet_server.world.memory import Turn
from callsheet_server.world.world import World

__all__ = [
    "heard_turn",
    "priority_of",
    "sampling_of",
    "speaker_name",
]

NARRATOR = "Narrator"
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
