"""Reasoning, and control tokens written out as text: nothing of it was meant to be said."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

__all__ = ["Opening", "Thoughts"]

_TAG: Final = r"think(?:ing)?|thoughts?|reason(?:ing)?"
_MARKER: Final = re.compile(
    rf"</?(?:{_TAG})>|\[/?THINK\]"  # DeepSeek, Qwen, Magistral
    r"|<\|[^<>|\s]{1,64}\|>"  # ChatML, Llama 3, Phi, harmony
    r"|<\uff5c[^<>\uff5c\s]{1,64}\uff5c>"  # DeepSeek, with full-width bars
    r"|</?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn)>|\[/?INST\]|</?SYS>",
    re.IGNORECASE,
)
_GROWING: Final = re.compile(
    r"<(?:[|\uff5c][^<>|\uff5c\s]{0,64}[|\uff5c]?|/?[a-z_]{0,13})$|\[/?[a-z]{0,5}$", re.IGNORECASE
)
"""A marker that may go on in the next piece."""
_THOUGHT: Final = re.compile(rf"[<\[]/?(?:{_TAG})[>\]]", re.IGNORECASE)
_WITH_HEADER: Final = {"<|start|>", "<|im_start|>", "<|start_header_id|>", "<start_of_turn>"}
"""A role follows, up to a line end or one of the tokens that end it."""
_HEADER_ENDS: Final = {"<|message|>", "<|end_header_id|>"}
_TURNS: Final = _WITH_HEADER | {
    *("<|end|>", "<|return|>", "<|call|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>"),
    *("<|end_of_text|>", "<|endoftext|>", "<end_of_turn>", "<eos>", "</s>", "[inst]", "[/inst]"),
    *("<|user|>", "<|assistant|>", "<|system|>", "<\uff5cuser\uff5c>", "<\uff5cassistant\uff5c>"),
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
}
"""Nothing of this reply comes after them."""


class Opening(Enum):
    """Opening of a model's replies."""

    SPEECH = auto()
    THOUGHT = auto()
    """The chat template opens the thought: only its closing tag is in the text."""
    UNKNOWN = auto()
    """Either: all is held until a closing tag, or the end, tells."""


class _State(Enum):
    SPEECH = auto()
    THOUGHT = auto()
    HEADER = auto()
    CHANNEL = auto()
    UNKNOWN = auto()
    ENDED = auto()


class Thoughts:
    """Lets through what is said, without the thoughts and the control tokens around it."""

    def __init__(self, opening: Opening) -> None:
        self._state = _State[opening.name]
        self._held = ""
        self._unknown = ""
        """Speech, unless a closing tag comes."""
        self._channel = ""
        self._spoke = False
        self.thought = opening is Opening.THOUGHT
        """True if there was a thought."""
        self.began_in_thought = False
        """True if a thought was closed that nothing had opened."""

    def feed(self, text: str) -> str:
        """Take a piece; return what is certainly said."""
        self._held += text
        if "<" not in self._held and "[" not in self._held:
            plain, self._held = self._held, ""
            return self._take(plain)
        said = ""
        while (found := _MARKER.search(self._held)) is not None:
            said += self._take(self._held[: found.start()])
            self._held = self._held[found.end() :]
            said += self._meet(found[0].lower())
        growing = _GROWING.search(self._held)
        certain = growing.start() if growing is not None else len(self._held)
        said += self._take(self._held[:certain])
        self._held = self._held[certain:]
        return said

    def rest(self) -> str:
        """Release what is still held at the end, except half a control token."""
        held, self._held = self._held, ""
        said = self._take(held) if len(held) == 1 else ""
        said, self._unknown = self._unknown + said, ""
        return said

    def _take(self, text: str) -> str:
        match self._state:
            case _State.SPEECH if text:
                text, self._unknown = self._unknown + text, ""
                self._spoke = self._spoke or bool(text.strip())
                return text
            case _State.UNKNOWN:
                self._unknown += text
            case _State.CHANNEL:
                self._channel += text
            case _State.HEADER if "\n" in text:
                self._state = _State.SPEECH
                return self._take(text.partition("\n")[2])
        return ""

    def _meet(self, marker: str) -> str:
        """Go on after a marker; return what it makes certain."""
        if self._state is _State.ENDED:
            return ""
        if _THOUGHT.fullmatch(marker):
            return self._close() if "/" in marker else self._open()
        if marker == "<|channel|>":
            self._state, self._channel = _State.CHANNEL, ""
        elif marker in _HEADER_ENDS:
            self._end_header()
        elif marker in _TURNS:
            if self._spoke or self._unknown.strip():
                self._state = _State.ENDED
            elif marker in _WITH_HEADER:
                self._state = _State.HEADER
            elif self._state is _State.THOUGHT and marker == "<|end|>":
                self._state = _State.SPEECH
        return ""

    def _open(self) -> str:
        self.thought = True
        said, self._unknown = self._unknown, ""
        self._state = _State.THOUGHT
        self._spoke = self._spoke or bool(said.strip())
        return said

    def _close(self) -> str:
        if self._state in (_State.SPEECH, _State.UNKNOWN):
            self.began_in_thought = self.thought = True
            self._unknown = ""
        self._state = _State.SPEECH
        return ""

    def _end_header(self) -> None:
        spoken = self._state is not _State.CHANNEL or self._channel.strip().startswith("final")
        self._state = _State.SPEECH if spoken else _State.THOUGHT
        self.thought = self.thought or not spoken
