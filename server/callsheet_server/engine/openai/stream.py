"""One reply, read from the chunks of a chat completion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from callsheet_server.engine.engine import StopReason
from callsheet_server.engine.errors import EmptyReplyError, GenerationError

__all__ = ["ReplyReader"]

MAX_REFUSAL_CHARS: Final = 200


@dataclass(slots=True)
class ReplyReader:
    """Tells the words from all else in the chunks, and why a reply ended.

    Of several choices only the first is read; thoughts are counted, not told.
    """

    max_new_tokens: int
    done: bool = False
    """The endpoint has closed the stream in good order."""
    pieces: int = 0
    """Pieces of words or thoughts; where the endpoint counts no tokens, about one token each."""
    _thoughts: int = 0
    _spoke: bool = False
    _finish: str = ""
    _refusal: str = ""
    _tool: bool = False
    _usage: dict[str, Any] = field(default_factory=dict)

    def read(self, chunk: dict[str, Any]) -> str:
        """The words in a chunk.

        Raises:
            GenerationError: it is none.
        """
        try:
            self._usage = chunk.get("usage") or self._usage
            return "".join(self._choice(choice) for choice in chunk.get("choices") or ())
        except (AttributeError, TypeError) as error:
            raise GenerationError("the endpoint sends what is no chat completion") from error

    def _choice(self, choice: dict[str, Any]) -> str:
        if choice.get("index"):
            return ""
        self._finish = choice.get("finish_reason") or self._finish
        said = choice.get("delta") or choice.get("message") or {}
        self._refusal += said.get("refusal") or ""
        self._tool = self._tool or bool(said.get("tool_calls"))
        words, thought = _parts(said.get("content"))
        if thought or said.get("reasoning_content") or said.get("reasoning"):
            self._thoughts += 1
            self.pieces += 1
        if words:
            self.pieces += 1
            self._spoke = self._spoke or not words.isspace()
        return words

    def finish_reason(self) -> StopReason:
        """Reason why the reply ended.

        Raises:
            EmptyReplyError: it is empty.
            GenerationError: it was broken off.
        """
        if self._finish == "content_filter":
            raise GenerationError("the endpoint's content filter stopped the reply")
        if self._finish in ("error", "abort"):
            raise GenerationError(f"the endpoint broke the reply off ({self._finish})")
        if not self._finish and not self.done:
            raise GenerationError("the endpoint ended the reply without saying why")
        if not self._spoke:
            raise EmptyReplyError(self._why_empty())
        return "length" if self._finish == "length" else "stop"

    def count(self, name: str, group: str = "") -> int:
        """A number of the endpoint's usage, such as ``prompt_tokens``; 0 = it does not say."""
        counts = (self._usage.get(group) or {}) if group else self._usage
        value = counts.get(name)
        return int(value) if isinstance(value, int | float) else 0

    def _why_empty(self) -> str:
        if self._refusal:
            return f"the model refuses to answer: {self._refusal[:MAX_REFUSAL_CHARS]}"
        if self._tool:
            return "the model called a tool and said nothing"
        spent = self.count("reasoning_tokens", "completion_tokens_details")
        if self._finish == "length":
            where = "to reasoning" if spent or self._thoughts else "without a word"
            return (
                f"all {self.max_new_tokens} tokens went {where}: raise reply.max_tokens or turn "
                "thinking off (openai.extra_body)"
            )
        if spent or self._thoughts:
            return "the model reasoned and said nothing: turn thinking off (openai.extra_body)"
        return "the reply is empty: the model ended it without a word"


def _parts(content: Any) -> tuple[str, bool]:
    """The words in a message's content, which may be in parts, and whether it holds thoughts."""
    if content is None or isinstance(content, str):
        return content or "", False
    words = "".join(part["text"] for part in content if part.get("type") == "text")
    return words, any(part.get("type") in ("thinking", "reasoning") for part in content)
