"""Text from outside as tokens that are nothing but text.

A chat template keeps who says what apart with control tokens such as ``<|im_start|>``. Were the
same characters in a player's text, name or persona read as that token, the player could end a turn
and begin one of somebody else's. Every engine that sends tokens uses ``PlainText``; one that can
only send text uses ``defused``.
"""

from __future__ import annotations

import re
from typing import Final

from callsheet_server.engine.chat_tokenizer import ChatTokenizer

__all__ = ["PlainText", "defused"]

_MARKER: Final = re.compile(
    r"<(?=\|[^<>|\s]{1,64}\|>)"  # ChatML, Llama 3, Qwen, Phi: <|im_start|>
    r"|<(?=\uff5c[^<>\uff5c]{1,64}\uff5c>)"  # DeepSeek: the same with full-width bars
    r"|<(?=/?(?:s|bos|eos|pad|unk|think|tool_call|tool_response"
    r"|start_of_turn|end_of_turn)>)"  # Llama 2, Gemma, reasoning and tool tags
    r"|<(?=</?SYS>>)|\[(?=/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\])",
    re.IGNORECASE,
)


class PlainText:
    """Tokenises text so that none of its tokens is a control token. Not thread-safe."""

    def __init__(self, tokenizer: ChatTokenizer) -> None:
        """Every token that was added to the vocabulary counts as control, but for white space."""
        self._tokenizer = tokenizer
        self._control = {
            number: token.content
            for number, token in tokenizer.added_tokens_decoder.items()
            if token.special or len(token.content.strip()) > 1
        }

    def tokens(self, text: str) -> list[int]:
        """The tokens of ``text``; they decode to it."""
        ids: list[int] = self._tokenizer.encode(
            text, add_special_tokens=False, split_special_tokens=True
        )
        if self._control.keys().isdisjoint(ids):
            return ids
        # Added tokens that are not "special", such as <think>, are found in any text: spell them.
        spelt: list[int] = []
        for number in ids:
            marker = self._control.get(number)
            if marker is None:
                spelt.append(number)
            elif len(marker) > 1:
                spelt += self.tokens(marker[0]) + self.tokens(marker[1:])
        return spelt


def defused(text: str) -> str:
    """``text`` with a space inside what a chat template's control token may look like.

    For model servers that take text and tokenise it themselves. It knows the common families by
    their looks; prefer ``PlainText`` wherever tokens can be sent.
    """
    return _MARKER.sub(lambda found: f"{found[0]} ", text)
