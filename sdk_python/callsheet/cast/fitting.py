"""Personas that fit: put together from their parts, and trimmed to a budget of tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from callsheet.cast.character import ORDER, Section, SectionKind
from callsheet.wire.fields import MAX_PERSONA_CHARS, MAX_SPEECH_CHARS

__all__ = [
    "TRIM_ORDER",
    "CountTokens",
    "Fitted",
    "compose",
    "estimated_tokens",
    "fit",
    "fits",
    "speakable",
]

CountTokens = Callable[[Sequence[str]], Sequence[int]]
"""Tokens of each text, by the model's tokenizer or as estimated."""
TRIM_ORDER: Final[tuple[SectionKind, ...]] = ("examples", "scenario", "appearance")
"""Parts that are left out first, in this order; then sentences, from the end."""
HEADINGS: Final[dict[SectionKind, str]] = {
    "personality": "Personality: ",
    "background": "Background: ",
    "occupation": "Occupation: ",
    "skills": "Skills: ",
    "speech": "Way of speaking: ",
    "appearance": "Appearance: ",
    "relationships": "Relationships:\n",
    "lore": "Known: ",
    "scenario": "Situation: ",
    "examples": "Examples of talk:\n",
}
SENTENCE: Final = re.compile(
    r"[^.!?\u3002\uff01\uff1f\n]*[.!?\u3002\uff01\uff1f\n]*[\"\u201d')]*\s*"
)
BYTES_PER_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class Fitted:
    """A persona within its budget."""

    persona: str
    tokens: int
    tokens_before: int
    left_out: tuple[str, ...] = ()
    """Parts left out; "N sentences" last."""


def estimated_tokens(texts: Sequence[str]) -> list[int]:
    """Estimate the tokens of texts; no tokenizer is asked."""
    return [-(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN) for text in texts]


def compose(sections: Sequence[Section]) -> str:
    """Put the parts of a persona together, in their order."""
    parts: list[str] = []
    said: set[SectionKind] = set()
    for section in sorted(sections, key=lambda section: ORDER.index(section.kind)):
        heading = HEADINGS.get(section.kind, "") if section.kind not in said else ""
        said.add(section.kind)
        parts.append(heading + section.text)
    return "\n".join(parts)


def fit(
    sections: Sequence[Section], tokens_before: int, budget_tokens: int, count: CountTokens
) -> Fitted:
    """Trim a persona until it fits: parts in ``TRIM_ORDER``, then sentences from the end.

    Args:
        sections: the parts.
        tokens_before: of all of them together.
        budget_tokens: what the persona may take; characters are limited by the protocol too.
        count: counts tokens.
    """
    kept = list(sections)
    left_out: list[str] = []
    persona, tokens = compose(kept), tokens_before
    for kind in TRIM_ORDER:
        if fits(persona, tokens, budget_tokens):
            break
        if any(section.kind == kind for section in kept):
            kept = [section for section in kept if section.kind != kind]
            left_out.append(kind)
            persona = compose(kept)
            tokens = count([persona])[0]
    if not fits(persona, tokens, budget_tokens):
        persona, cut = _first_sentences(persona, budget_tokens, count)
        tokens = count([persona])[0]
        left_out.append(f"{cut} sentences")
    return Fitted(persona, tokens, tokens_before, tuple(left_out))


def speakable(line: str) -> str:
    """Cut a line to what the protocol lets an NPC say at once, at the end of a sentence."""
    if len(line) <= MAX_SPEECH_CHARS:
        return line
    start = line[:MAX_SPEECH_CHARS]
    whole = "".join([piece for piece in SENTENCE.findall(start) if piece][:-1]).rstrip()
    return whole or start


def fits(persona: str, tokens: int, budget_tokens: int) -> bool:
    """Tell whether a persona is within the budget and the protocol's limit."""
    return tokens <= budget_tokens and len(persona) <= MAX_PERSONA_CHARS


def _first_sentences(persona: str, budget_tokens: int, count: CountTokens) -> tuple[str, int]:
    """Keep as many sentences as fit, or words of the first; return them, and the number of
    sentences that were cut.
    """
    pieces = [piece for piece in SENTENCE.findall(persona) if piece]
    kept = _most(pieces, budget_tokens, count)
    text = "".join(pieces[:kept]).rstrip()
    if not text and pieces:  # one sentence longer than the budget
        words = re.findall(r"\S+\s*|\s+", pieces[kept])
        text = "".join(words[: _most(words, budget_tokens, count)]).rstrip()
        text = text or persona[: _most(persona[:MAX_PERSONA_CHARS], budget_tokens, count)]
    return text, len(pieces) - kept


def _most(pieces: Sequence[str], budget_tokens: int, count: CountTokens) -> int:
    """Count the first pieces that fit together."""
    low, high = 0, len(pieces)
    while low < high:
        middle = (low + high + 1) // 2
        start = "".join(pieces[:middle]).rstrip()
        short = len(start) <= MAX_PERSONA_CHARS
        if short and count([start])[0] <= budget_tokens:
            low = middle
        else:
            high = middle - 1
    return low
