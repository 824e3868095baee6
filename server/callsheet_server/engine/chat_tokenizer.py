"""The part of a tokenizer that prompts need, so that they depend on no tokenizer's library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["AddedToken", "ChatTokenizer"]


class AddedToken(Protocol):
    """A token that is no piece of text: a control token, or one that was added by a trainer."""

    @property
    def content(self) -> str: ...

    @property
    def special(self) -> bool:
        """True = never read in text that is tokenised with ``split_special_tokens``."""


class ChatTokenizer(Protocol):
    """A tokenizer with a chat template; a fast one of transformers is one."""

    @property
    def chat_template(self) -> Any:
        """The template; empty = there is none."""

    @property
    def added_tokens_decoder(self) -> Mapping[int, Any]:
        """Token number -> ``AddedToken``."""

    def encode(
        self, text: str, *, add_special_tokens: bool = ..., split_special_tokens: bool = ...
    ) -> list[int]:
        """The tokens of ``text``; control tokens are read in it unless they are split."""

    def apply_chat_template(
        self,
        conversation: list[dict[str, str]],
        *,
        tokenize: bool = ...,
        add_generation_prompt: bool = ...,
        enable_thinking: bool = ...,
    ) -> Any:
        """The conversation as text. May raise anything."""
