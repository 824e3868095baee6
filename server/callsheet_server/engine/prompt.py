"""From worlds, personas and turns to tokens, with boundaries that never move.

A prompt is [world][persona][turns, oldest first][the NPC's cue]. Each part is tokenised on its own,
so equal parts give equal tokens whatever follows them, and their KV can be reused. What the parts
are wrapped in is read off the model's own chat template once, at start. Text from outside is
tokenised with special tokens disabled: a player cannot type an end-of-turn marker.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from callsheet_server.engine.engine import GenerationRequest, NpcProfile
from callsheet_server.engine.errors import ContextTooLongError, EngineStartError
from callsheet_server.engine.plain_text import PlainText
from callsheet_server.world.memory import Turn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = [
    "LAST_REPLIES",
    "STRANGER",
    "ChatFormat",
    "NpcPrefix",
    "PromptBuilder",
    "fill_in",
    "persona_text",
    "said_text",
    "world_text",
]


LAST_REPLIES: Final = 4
"""An NPC should not say again what it said in these."""
_PLACEHOLDER: Final = re.compile(r"\{\{ ?(user|char) ?\}\}", re.IGNORECASE)
STRANGER: Final = "the visitor"
"""Whom an NPC talks to, where that is not known or must not make a difference."""


def fill_in(text: str, char: str, user: str = STRANGER) -> str:
    """``text`` with names for ``{{char}}``, the NPC, and ``{{user}}``, whom it talks to."""
    return _PLACEHOLDER.sub(lambda found: char if found[1].lower() == "char" else user, text)


def world_text(lore: str) -> str:
    """What opens the system message of every NPC of a world; "" if there is no lore."""
    return f"{lore.strip()}\n\n" if lore.strip() else ""


def persona_text(profile: NpcProfile) -> str:
    """What ends the system message: who the NPC is, and how it is to answer."""
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
class ChatFormat:
    """What a chat template puts around each part of a conversation."""

    system_open: str
    system_close: str
    user_open: str
    user_close: str
    reply_open: str
    reply_close: str
    cue: str
    """Makes the model speak next; starts with what ``reply_open`` is, or close to it."""

    @property
    def begins_in_thought(self) -> bool:
        """The cue opens a thought and leaves it to the model to close it."""
        return self.cue.rfind("<think>") > self.cue.rfind("</think>")

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerFast) -> ChatFormat:
        """Take the template apart by rendering marked messages.

        Raises:
            EngineStartError: there is no template, or it does not render messages one by one.
        """
        if not tokenizer.chat_template:
            raise EngineStartError(
                "model: its tokenizer has no chat template; use an instruct (chat) model, or add "
                "chat_template.jinja to its folder"
            )
        marks = [f"callsheet-{name}-mark" for name in ("system", "user", "reply", "user-again")]
        roles = ["system", "user", "assistant", "user"]
        messages = [
            {"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)
        ]

        def render(count: int, *, cue: bool = False) -> str:
            rendered = tokenizer.apply_chat_template(
                messages[:count], tokenize=False, add_generation_prompt=cue, enable_thinking=False
            )
            assert isinstance(rendered, str)
            return rendered

        try:
            system_open, rest = render(4, cue=True).split(marks[0])
            before_user, rest = rest.split(marks[1])
            before_reply, rest = rest.split(marks[2])
            before_again, after_again = rest.split(marks[3])
            user_close = render(2).split(marks[1])[1]
            system_close = render(1).split(marks[0])[1]
        except Exception as error:
            raise EngineStartError(
                "model: its chat template does not render a system message followed by turns "
                f"({error}); use a Llama- or Qwen-like instruct model"
            ) from error
        user_open = before_user.removeprefix(system_close)
        parts = cls(
            system_open=system_open,
            system_close=system_close,
            user_open=user_open,
            user_close=user_close,
            reply_open=before_reply.removeprefix(user_close),
            reply_close=before_again.removesuffix(user_open),
            cue=after_again.removeprefix(user_close),
        )
        whole = parts.system_open + marks[0] + parts.system_close
        whole += parts.user_open + marks[1] + parts.user_close
        whole += parts.reply_open + marks[2] + parts.reply_close
        whole += parts.user_open + marks[3] + parts.user_close + parts.cue
        if whole != render(4, cue=True):
            raise EngineStartError(
                "model: its chat template renders a message differently depending on its "
                "neighbours; use a Llama- or Qwen-like instruct model"
            )
        return parts


@dataclass(frozen=True, slots=True)
class NpcPrefix:
    """The part of an NPC's prompts that stays the same."""

    world: tuple[int, ...]
    world_fingerprint: str
    persona: tuple[int, ...]
    fingerprint: str
    """Of everything the persona's KV depends on, the world's tokens included."""


class PromptBuilder:
    """Tokenises. Not thread-safe (a tokenizer is not): one thread owns it."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
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
        self.begins_in_thought = chat.begins_in_thought

    def prefix(self, lore: str, profile: NpcProfile, adapter_fingerprint: str) -> NpcPrefix:
        """The prefix of ``profile`` in a world that begins with ``lore``."""
        world = (*self._system_open, *self._text(world_text(lore)))
        persona = (*self._text(persona_text(profile)), *self._system_close)
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
        turns = [self._turn(turn) for turn in request.turns]
        fixed = len(prefix.world) + len(prefix.persona) + len(self._cue)
        room = self._limit_tokens - request.max_new_tokens - fixed
        total = sum(map(len, turns))
        while len(turns) > 1 and total > room:
            total -= len(turns.pop(0))
        if total > room:
            raise ContextTooLongError(
                f"{request.npc}: world, persona and last turn take {fixed + total} tokens and the "
                f"reply up to {request.max_new_tokens}, the limit is {self._limit_tokens}: shorten "
                "the persona or the turn, or lower max_new_tokens"
            )
        tail = [token for turn in turns for token in turn]
        return (*prefix.world, *prefix.persona, *tail, *self._cue)

    def said_before(self, request: GenerationRequest) -> list[int]:
        """The tokens of the NPC's last replies, which a new one should not repeat."""
        replies = [turn.text for turn in request.turns if turn.speaker is None][-LAST_REPLIES:]
        return [token for text in replies for token in self._text(text.strip())]

    def _turn(self, turn: Turn) -> list[int]:
        said = self._text(said_text(turn))
        if turn.speaker is None:
            return [*self._reply_open, *said, *self._reply_close]
        return [*self._user_open, *said, *self._user_close]

    def _template(self, text: str) -> Sequence[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _text(self, text: str) -> list[int]:
        return self._plain.tokens(text)
