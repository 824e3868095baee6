"""From worlds, personas and turns to tokens, with boundaries that never move.

A prompt is [world][persona][turns, oldest first][the NPC's cue]. Each part is tokenised on its own,
so equal parts give equal tokens whatever follows them, and their KV can be reused. What the parts
are wrapped in is read off the model's own chat template once, at start; where it wants user and
assistant to take turns, the turns of one side that follow each other are one message. Text from
outside is tokenised with special tokens disabled: a player cannot type an end-of-turn marker.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from callsheet_server.engine.chat_format import ChatFormat
from callsheet_server.engine.chat_tokenizer import ChatTokenizer
from callsheet_server.engine.engine import GenerationRequest, NpcProfile
from callsheet_server.engine.errors import ContextTooLongError
from callsheet_server.engine.plain_text import PlainText
from callsheet_server.world.memory import Turn

__all__ = [
    "LAST_REPLIES",
    "SILENCE",
    "STRANGER",
    "NpcPrefix",
    "PromptBuilder",
    "fill_in",
    "persona_text",
    "said_text",
    "world_text",
]

SILENCE: Final = "..."
"""Said by the user before an NPC that speaks first, where a user must go first."""
LAST_REPLIES: Final = 4
"""An NPC should not say again what it said in these."""
_PLACEHOLDER: Final = re.compile(r"\{\{ ?(user|char) ?\}\}", re.IGNORECASE)
STRANGER: Final = "the visitor"
"""Name for the listener of an NPC, where that is not known or must not make a difference."""


def fill_in(text: str, char: str, user: str = STRANGER) -> str:
    """``text`` with names for ``{{char}}``, the NPC, and ``{{user}}``, whom it talks to."""
    return _PLACEHOLDER.sub(lambda found: char if found[1].lower() == "char" else user, text)


def world_text(lore: str) -> str:
    """Text that opens the system message of every NPC of a world; "" if there is no lore."""
    return f"{lore.strip()}\n\n" if lore.strip() else ""


def persona_text(profile: NpcProfile) -> str:
    """Text that ends the system message: who the NPC is, and how it is to answer."""
    name = profile.name.strip()
    text = f"You are {name}. {profile.persona.strip()}"
    if style := profile.style.strip():
        text += f"\n\n{style}"
    return fill_in(text, name)


def said_text(turn: Turn) -> str:
    """A turn as a message: the NPC's own words bare, others' after their name."""
    said = turn.text.strip()
    return said if turn.speaker is None else f"{turn.speaker.strip()}: {said}"


@dataclass(frozen=True, slots=True)
class NpcPrefix:
    """The part of an NPC's prompts that stays the same."""

    world: tuple[int, ...]
    world_fingerprint: str
    persona: tuple[int, ...]
    fingerprint: str
    """Hash of everything the persona's KV depends on, the world's tokens included."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A turn, or several of one side, in tokens."""

    own: bool
    """True if the NPC itself said it."""
    tokens: list[int]


class PromptBuilder:
    """Tokenises. Not thread-safe (a tokenizer is not): one thread owns it."""

    def __init__(
        self,
        tokenizer: ChatTokenizer,
        chat: ChatFormat,
        model_fingerprint: str,
        context_limit_tokens: int,
    ) -> None:
        self._tokenizer = tokenizer
        self._plain = PlainText(tokenizer)
        self._model_fingerprint = model_fingerprint
        self._limit_tokens = context_limit_tokens
        self._system_open = self._template(chat.system_open)
        self._system_close = self._template(chat.system_close)
        self._user_open = self._template(chat.user_open)
        self._user_close = self._template(chat.user_close)
        self._reply_open = self._template(chat.reply_open)
        self._reply_close = self._template(chat.reply_close)
        self._cue = self._template(chat.cue)
        self._chat = chat
        self.begins_in_thought = chat.begins_in_thought

    def prefix(self, lore: str, profile: NpcProfile, adapter_fingerprint: str) -> NpcPrefix:
        """The prefix of ``profile`` in a world that begins with ``lore``."""
        world = (*self._system_open, *self._text(world_text(lore)))
        close = self._system_close if self._chat.system_role else ()
        persona = (*self._text(persona_text(profile)), *close)
        base = f"{self._model_fingerprint}|{adapter_fingerprint}|{world}"
        return NpcPrefix(
            world=world,
            world_fingerprint=hashlib.sha256(base.encode()).hexdigest(),
            persona=persona,
            fingerprint=hashlib.sha256(f"{base}|{persona}".encode()).hexdigest(),
        )

    def prompt(self, prefix: NpcPrefix, request: GenerationRequest) -> tuple[int, ...]:
        """The tokens of ``request``; the oldest turns are left out, whole, if it is too long.

        Raises:
            ContextTooLongError: it does not fit with the last turn alone.
        """
        turns = [_Said(turn.speaker is None, self._text(said_text(turn))) for turn in request.turns]
        fixed = len(prefix.world) + len(prefix.persona) + len(self._cue)
        room = self._limit_tokens - request.max_new_tokens - fixed
        while len(tail := self._tail(turns)) > room:
            if len(turns) == 1:
                raise ContextTooLongError(
                    f"{request.npc}: world, persona and last turn take {fixed + len(tail)} tokens "
                    f"and the reply up to {request.max_new_tokens}, the limit is "
                    f"{self._limit_tokens}: shorten the persona or the turn, or lower "
                    "max_new_tokens"
                )
            del turns[0]
        return (*prefix.world, *prefix.persona, *tail, *self._cue)

    def said_before(self, request: GenerationRequest) -> list[int]:
        """The tokens of the NPC's last replies, which a new one should not repeat."""
        replies = [turn.text for turn in request.turns if turn.speaker is None][-LAST_REPLIES:]
        return [token for text in replies for token in self._text(text.strip())]

    def _tail(self, turns: Sequence[_Said]) -> list[int]:
        """The messages behind the persona."""
        messages = self._merged(turns) if self._chat.alternates else turns
        tail: list[int] = []
        if self._chat.system_role:
            if self._chat.alternates and messages[0].own:
                tail += self._message(_Said(False, self._text(SILENCE)))
        elif messages[0].own:
            tail += self._system_close
        else:
            tail += [*self._text("\n\n"), *messages[0].tokens, *self._user_close]
            messages = messages[1:]
        for message in messages:
            tail += self._message(message)
        return tail

    def _merged(self, turns: Sequence[_Said]) -> list[_Said]:
        between = self._text("\n")
        merged = []
        for own, side in groupby(turns, key=lambda turn: turn.own):
            first, *others = (turn.tokens for turn in side)
            merged.append(_Said(own, [*first, *(t for more in others for t in between + more)]))
        return merged

    def _message(self, said: _Said) -> list[int]:
        if said.own:
            return [*self._reply_open, *said.tokens, *self._reply_close]
        return [*self._user_open, *said.tokens, *self._user_close]

    def _template(self, text: str) -> Sequence[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _text(self, text: str) -> list[int]:
        return self._plain.tokens(text)
