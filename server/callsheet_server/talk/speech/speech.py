"""All filters of a reply in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from callsheet_server.talk.speech.directions import (
    BracketedDirections,
    StageDirections,
    StarredDirections,
)
from callsheet_server.talk.speech.placeholders import Placeholders
from callsheet_server.talk.speech.quotes import Unquoted
from callsheet_server.talk.speech.repeats import Repeats
from callsheet_server.talk.speech.sentences import Said, Sentences
from callsheet_server.talk.speech.spacing import Spacing
from callsheet_server.talk.speech.speakers import Speakers
from callsheet_server.talk.speech.thoughts import Opening, Thoughts

__all__ = ["Direction", "Part", "Speech", "Voice"]


@dataclass(frozen=True, slots=True)
class Direction:
    """Something that the NPC does while it speaks."""

    text: str


Part = Said | Direction


@dataclass(frozen=True, slots=True)
class Voice:
    """Voice of an NPC: who speaks to whom, as far as it matters to what may be said."""

    name: str
    """The NPC's."""
    listener: str
    """The name of who is answered."""
    speakers: Sequence[str]
    """Other text that may stand before a colon: names of this talk, and headings of prompts."""
    is_known: Callable[[str], bool]
    """Tells whether somebody of the world has this name, case folded."""
    not_again: Sequence[str] = ()
    """Texts whose sentences are not to be said: the NPC's last replies, and what it was told."""
    opening: Opening = Opening.SPEECH
    directions: StageDirections = "strip"
    whole: bool = False
    """Even the first sentence is let go only when it is whole."""


class _Filter(Protocol):
    def feed(self, text: str) -> str: ...

    def rest(self) -> str: ...


class Speech:
    """One reply, from the model's text to what is heard of it."""

    def __init__(self, voice: Voice) -> None:
        self._thoughts = Thoughts(voice.opening)
        self._speakers = Speakers(voice.name, (voice.listener, *voice.speakers), voice.is_known)
        self._directions: list[str] = []
        """Those that were taken out."""
        self._filters: tuple[_Filter, ...] = (
            self._thoughts,
            Placeholders(voice.name, voice.listener),
            self._speakers,
            Unquoted(),
            StarredDirections(voice.directions, self._directions),
            BracketedDirections(voice.directions, self._directions),
            Spacing(),
        )
        self._sentences = Sentences(hold_first=voice.whole)
        self._repeats = Repeats(voice.not_again)
        self._apart = voice.directions == "apart"
        self._told_directions = 0
        self._wrote = False

    @property
    def ended(self) -> bool:
        """True if nothing is said of whatever else comes."""
        return bool(self._speakers.spoke_as)

    @property
    def left_out(self) -> Sequence[Said]:
        """Sentences that the NPC has said before."""
        return self._repeats.left_out

    @property
    def began_in_thought(self) -> bool:
        """True if a thought was closed that nothing had opened."""
        return self._thoughts.began_in_thought

    def feed(self, text: str) -> list[Part]:
        """Take a piece of the model's text; return what may be heard now."""
        self._wrote |= bool(text)
        for one in self._filters:
            text = one.feed(text)
        return self._told(self._sentences.feed(text))

    def rest(self, *, finished: bool) -> list[Part]:
        """Release what is left to be heard; ``finished``: the model was done, not cut off."""
        text = ""
        for one in self._filters:
            text = one.feed(text) + one.rest()
        told = self._told(self._sentences.feed(text))
        told += self._told(self._sentences.rest(finished=finished or self.ended))
        return told + list(self._repeats.rest())

    def why_silent(self, generated_tokens: int, *, cut_off: bool) -> str:
        """Explain why nothing of ``generated_tokens`` was fit to be heard, and what helps."""
        if self._speakers.spoke_as:
            return f"the model spoke as {self._speakers.spoke_as!r}"
        if self._directions:
            return (
                'the model wrote stage directions only: reply.stage_directions = "keep" says them'
            )
        if not (self._thoughts.thought or cut_off):
            return "the model ended its turn without a word"
        tokens = f"all {generated_tokens} tokens" if generated_tokens else "all tokens"
        if self._wrote and not self._thoughts.thought:
            return f"{tokens} held no word to say aloud"
        return (
            f"{tokens} went to reasoning: raise reply.max_tokens or turn the model's thinking off"
        )

    def _told(self, said: Sequence[Said]) -> list[Part]:
        parts: list[Part] = []
        if self._apart:
            parts += map(Direction, self._directions[self._told_directions :])
            self._told_directions = len(self._directions)
        for one in said:
            parts += self._repeats.feed(one)
        return parts
