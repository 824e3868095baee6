"""Prompts beyond the persona: who speaks, what they say, and a script's facts.

What players say, and what they are called, is data. It is one line: nobody can begin a line that
looks like another speaker's. It holds nothing that cannot be seen, and nobody but the game and its
mods is the narrator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.talk import Hear, SamplingSpec, Say, Speaker
from callsheet_server.engine.engine import Priority, Sampling
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.talk.visible import one_line
from callsheet_server.world.errors import bad_value, unknown
from callsheet_server.world.memory import Turn, estimated_tokens
from callsheet_server.world.world import World

__all__ = [
    "addressed",
    "heard_text",
    "heard_turns",
    "lore_turns",
    "priority_of",
    "recalled_turns",
    "sampling_of",
    "shown_name",
    "speaker_name",
]

NARRATOR = "Narrator"
NOBODY = "Someone"
KNOWN = "Known here and now:"
RECALLED = "From earlier talks, oldest first:"
MIN_TEMPERATURE: Final = 0.01
"""Temperature below which the likeliest token is taken: logits over less overflow float32."""
_PRIORITIES = {
    "player": Priority.PLAYER,
    "npc": Priority.NPC,
    "background": Priority.BACKGROUND,
    "narrator": Priority.BACKGROUND,
}


def speaker_name(world: World, speaker: Speaker) -> str:
    """The name an NPC knows a speaker by: one line, no colon, and not the narrator's."""
    if speaker.kind == "narrator":
        return _plain_name(speaker.name or "") or NARRATOR
    name = speaker.name or speaker.id or NOBODY
    if speaker.name is None and speaker.kind == "player" and speaker.id in world.players:
        name = world.players[speaker.id].spec.name
    if speaker.name is None and speaker.kind == "npc" and speaker.id in world.npcs:
        name = world.npcs[speaker.id].spec.name
    return shown_name(name)


def shown_name(name: str) -> str:
    """A name as others may be shown it: one line, no colon, and not the narrator's."""
    name = _plain_name(name) or NOBODY
    return NOBODY if name.casefold() == NARRATOR.casefold() else name


def _plain_name(name: str) -> str:
    return one_line(name.replace(":", " "))


def check_speaker(world: World, speaker: Speaker) -> None:
    """Refuse words of somebody who is not in the world.

    Raises:
        WorldError: ``unknown_player`` or ``unknown_npc``.
    """
    if speaker.id is None or speaker.kind == "narrator":
        return
    if speaker.id not in (world.players if speaker.kind == "player" else world.npcs):
        raise unknown(speaker.kind, speaker.id, "speaker.id")


def addressed(message: Say) -> tuple[str, ...]:
    """Ids of those who are spoken to.

    Raises:
        WorldError: ``bad_value``: nobody is, or one twice, or ``npc`` and ``npcs`` are both there.
    """
    names = message.npcs or ((message.npc,) if message.npc is not None else ())
    if not names or (message.npcs and message.npc is not None) or len(set(names)) < len(names):
        raise bad_value(
            "one of npc and npcs says who is spoken to, each once", "npcs", str(len(names))
        )
    return tuple(names)


def heard_text(message: Say | Hear, max_chars: int) -> str:
    """Text that an NPC hears: a narrator's as it is, anybody else's as one line, all of it visible.

    Raises:
        WorldError: ``limit_exceeded``, a player says more than ``max_chars``; ``bad_value``,
            nothing is left.
    """
    if message.speaker.kind == "narrator":
        return message.text
    text = one_line(message.text)
    if message.speaker.kind == "player" and len(text) > max_chars:
        raise error_for(
            ErrorCode.LIMIT_EXCEEDED,
            f"a player may say {max_chars} characters at a time here (reply.max_heard_chars)",
            field="text",
            value=str(len(text)),
            limit=max_chars,
        )
    if not text:
        raise bad_value("nothing in this text can be seen", "text", '""')
    return text


def heard_turns(speaker: str, text: str, material: str | None) -> tuple[Turn, ...]:
    """Turns of what is heard: the script's facts, told by the narrator alone, and the words."""
    said = Turn(speaker, text)
    return (Turn(NARRATOR, material), said) if material else (said,)


def lore_turns(known: Sequence[str]) -> tuple[Turn, ...]:
    """Turn of the narrator that tells what the NPC knows here and now, or none."""
    lines = "".join(f"\n- {one_line(text)}" for text in known)
    return (Turn(NARRATOR, KNOWN + lines),) if lines else ()


def recalled_turns(found: Mapping[int, Turn], npc: str, budget_tokens: int) -> tuple[Turn, ...]:
    """Tell what an NPC recalls of earlier talks, as one turn of the narrator, or none.

    Each is quoted on a line of its own that begins with a dash and who said it.

    Args:
        found: turns by their number in time, the most fitting first.
        npc: the NPC's name.
        budget_tokens: of the whole turn, as estimated. What does not fit is left out.
    """
    lines: dict[int, str] = {}
    recalled: tuple[Turn, ...] = ()
    for number, turn in found.items():
        lines[number] = f'\n- {turn.speaker or npc}: "{one_line(turn.text)}"'
        told = Turn(NARRATOR, RECALLED + "".join(lines[n] for n in sorted(lines)))
        if estimated_tokens(told) > budget_tokens:
            del lines[number]
        else:
            recalled = (told,)
    return recalled


def priority_of(message: Say) -> Priority:
    """Priority as asked for, else by who speaks."""
    return _PRIORITIES[message.priority or message.speaker.kind]


def sampling_of(asked: SamplingSpec | None, settings: ReplySettings, suits: Sampling) -> Sampling:
    """The request's sampling over the server's, over what suits the model."""
    given = asked.model_dump(exclude_none=True) if asked is not None else {}
    names = {"temperature", "top_p", "top_k", "repetition_penalty"}
    sampling = replace(suits, **(settings.model_dump(include=names, exclude_none=True) | given))
    if sampling.temperature < MIN_TEMPERATURE:
        return replace(sampling, temperature=0.0)
    return sampling
