"""A model's chat template, taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from callsheet_server.engine.chat_tokenizer import ChatTokenizer
from callsheet_server.engine.errors import EngineStartError

__all__ = ["ChatFormat"]

Role = Literal["system", "user", "assistant"]


class _TemplateError(Exception):
    """The template does not render these messages, or not one by one."""


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """Text that a chat template puts around each part of a conversation."""

    system_open: str
    system_close: str
    user_open: str
    user_close: str
    reply_open: str
    reply_close: str
    cue: str
    """Makes the model speak next; starts with what ``reply_open`` is, or close to it."""
    system_role: bool = True
    """False = the system's text begins the first message of the user, which ``system_open`` and
    ``system_close`` are then around."""
    alternates: bool = False
    """User and assistant must take turns, the user first."""

    @property
    def begins_in_thought(self) -> bool:
        """The cue opens a thought and leaves it to the model to close it."""
        return self.cue.rfind("<think>") > self.cue.rfind("</think>")

    @classmethod
    def of(cls, tokenizer: ChatTokenizer) -> ChatFormat:
        """Take the template apart by rendering marked messages.

        Raises:
            EngineStartError: there is no template, or it does not render messages one by one.
        """
        if not tokenizer.chat_template:
            raise EngineStartError(
                "model: its tokenizer has no chat template; use an instruct (chat) model, or add "
                "chat_template.jinja to its folder"
            )
        try:
            return _with_system_role(tokenizer)
        except _TemplateError as error:
            problem = error
        try:
            return _without_system_role(tokenizer)
        except _TemplateError as error:
            raise EngineStartError(
                f"model: its chat template is of no use, neither with a system message ({problem}) "
                f"nor without one ({error}); use an instruct (chat) model"
            ) from error

    def around(self, roles: Sequence[Role], *, cue: bool = False) -> list[str]:
        """The text before, between and behind messages of ``roles``."""
        opened = {
            "system": self.system_open,
            "user": self.user_open,
            "assistant": self.reply_open,
        }
        closed = {
            "system": self.system_close,
            "user": self.user_close,
            "assistant": self.reply_close,
        }
        texts = [""]
        for role in roles:
            texts[-1] += opened[role]
            texts.append(closed[role])
        texts[-1] += self.cue if cue else ""
        return texts


def _with_system_role(tokenizer: ChatTokenizer) -> ChatFormat:
    roles: list[Role] = ["system", "user", "assistant", "user"]
    opened, to_user, to_reply, to_again, end = whole = _around(tokenizer, roles, cue=True)
    user_close = _around(tokenizer, ["system", "user"])[-1]
    system_close = _around(tokenizer, ["system"])[-1]
    user_open = to_user.removeprefix(system_close)
    chat = ChatFormat(
        system_open=opened,
        system_close=system_close,
        user_open=user_open,
        user_close=user_close,
        reply_open=to_reply.removeprefix(user_close),
        reply_close=to_again.removesuffix(user_open),
        cue=end.removeprefix(user_close),
    )
    _check(chat.around(roles, cue=True), whole)
    return replace(chat, alternates=not _takes_any_order(tokenizer, chat))


def _without_system_role(tokenizer: ChatTokenizer) -> ChatFormat:
    opened, to_reply, to_again, end = whole = _around(
        tokenizer, ["user", "assistant", "user"], cue=True
    )
    user_close = _around(tokenizer, ["user"])[-1]
    reply_close = _around(tokenizer, ["user", "assistant"])[-1]
    chat = ChatFormat(
        system_open=opened,
        system_close=user_close,
        user_open=to_again.removeprefix(reply_close),
        user_close=user_close,
        reply_open=to_reply.removeprefix(user_close),
        reply_close=reply_close,
        cue=end.removeprefix(user_close),
        system_role=False,
        alternates=True,
    )
    _check(chat.around(["system", "assistant", "user"], cue=True), whole)
    return chat


def _takes_any_order(tokenizer: ChatTokenizer, chat: ChatFormat) -> bool:
    orders: list[list[Role]] = [
        ["system", "user", "user", "assistant", "assistant", "user"],
        ["system", "assistant", "user"],
    ]
    try:
        return all(
            _around(tokenizer, roles, cue=True) == chat.around(roles, cue=True) for roles in orders
        )
    except _TemplateError:
        return False


def _around(tokenizer: ChatTokenizer, roles: Sequence[Role], *, cue: bool = False) -> list[str]:
    """The text that the template puts before, between and behind messages of ``roles``.

    Raises:
        _TemplateError: it does not take these roles, or leaves a message out.
    """
    marks = [f"callsheet-mark-{number}-" for number in range(len(roles))]
    messages = [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)]
    try:
        rest = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=cue, enable_thinking=False
        )
        assert isinstance(rest, str)
        texts = []
        for mark in marks:
            before, rest = rest.split(mark)
            texts.append(before)
    except Exception as error:  # A template may raise anything.
        raise _TemplateError(str(error)) from error
    return [*texts, rest]


def _check(parts: list[str], whole: list[str]) -> None:
    if parts != whole:
        raise _TemplateError("a message is rendered differently depending on its neighbours")
