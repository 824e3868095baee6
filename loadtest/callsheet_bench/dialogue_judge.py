"""Faults in NPCs' replies, counted."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

NAN = float("nan")
LAST_REPLIES = 4
MIN_LETTERS = 10
ASSISTANT = re.compile(
    r"\b(?:as an ai|language model|ai assistant|virtual assistant|how (?:can|may) i (?:help|assist)"
    r"|here to (?:help|assist)|happy to (?:help|assist)|i can (?:help|assist) you with|assist you"
    r"|feel free to ask|let me know if you)",
    re.IGNORECASE,
)
_NAME_WORD = r"[A-Z\u00c0-\u00de][\w'\u2019-]*"
SPEAKER = re.compile(
    r"(?:^|\n|[.!?\u2026] )[-*_\"(\[ ]{0,3}"
    rf"({_NAME_WORD}(?: {_NAME_WORD}){{0,2}})[*_\")\]]{{0,3}}:[*_]{{0,2}}(?:\s|$)"
)
ENDS = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"')\]\u201d\u2019\u00bb*]*$")
_FUNCTION_WORDS = {
    "en": "the and you i is to of a it in that for my have are not with what be we this "
    "your me was do on but so can as no if will at all an from",
    "de": "der die das und ich ist nicht du ein eine zu mir es mit den auf für sie wir "
    "aber ja nein hier mein dein was wie bin hast habe kann",
    "es": "el la los las de que y es un una en no me te mi tu se por para con lo como muy "
    "si yo qué hay está pero",
    "fr": "le la les de des et est un une je tu il ne pas que qui dans pour mon ton ce "
    "vous nous avec sur mais oui",
}
FUNCTION_WORDS = {name: frozenset(words.split()) for name, words in _FUNCTION_WORDS.items()}


@dataclass(frozen=True)
class Answer:
    """One reply, and what is known of it."""

    npc: str
    language: str
    heard: str
    text: str
    finish: str = ""
    error: str = ""
    first_text_s: float = NAN
    """Time from asking to the first text, at the client."""
    ttft_s: float = NAN
    """Time from asking to the first token, at the server."""
    tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    total_s: float = NAN


def rates(player: str, answers: Sequence[Answer]) -> dict[str, str]:
    """Everything that is counted, by name, as text."""
    count = len(answers)
    spoken = [a for a in answers if a.text]

    def share(hits: int) -> str:
        return f"{hits} ({100 * hits / count:.1f} %)"

    return {
        "own name first": share(sum(_own_name(a) for a in spoken)),
        "other speakers": share(sum(_other_speaker(a, player) for a in spoken)),
        "unfinished ends": share(sum(_unfinished(a) for a in spoken)),
        "no full stop": share(sum(not ENDS.search(a.text.strip()) for a in spoken)),
        "ends with an ellipsis": share(sum(a.text.endswith("\u2026") for a in spoken)),
        "repeated": share(_repeats(spoken)),
        "echoes the player": share(sum(_letters(a.text) == _letters(a.heard) for a in spoken)),
        "empty": share(count - len(spoken)),
        "assistant phrases": share(sum(bool(ASSISTANT.search(a.text)) for a in spoken)),
        "another language": share(sum(_language(a.text) not in (None, a.language) for a in spoken)),
        "tokens per reply": f"{statistics.fmean(a.tokens for a in spoken):.1f}",
        "words per reply": f"{statistics.fmean(len(a.text.split()) for a in spoken):.1f}",
        "first token, p50": _time([a.ttft_s for a in spoken], 50),
        "first text, p50": _time([a.first_text_s for a in spoken], 50),
        "first text, p90": _time([a.first_text_s for a in spoken], 90),
        "after the first token, p50": _time([a.first_text_s - a.ttft_s for a in spoken], 50),
        "prompt tokens": f"{statistics.fmean(a.prompt_tokens for a in spoken):.0f}",
        "of these reused": f"{_reused(spoken):.1f} %",
        "computed per reply": f"{statistics.fmean(_computed(a) for a in spoken):.0f}",
        "computed per reply, p50": f"{statistics.median(_computed(a) for a in spoken):.0f}",
    }


def _computed(answer: Answer) -> int:
    return answer.prompt_tokens - answer.cached_tokens


def _unfinished(answer: Answer) -> bool:
    """It was cut off in a sentence, or ends where something must follow."""
    text = answer.text.strip()
    return not ENDS.search(text) and (answer.finish == "length" or text[-1] in ",:;-\u2013\u2014")


def _own_name(answer: Answer) -> bool:
    name = re.escape(answer.npc)
    first = re.escape(answer.npc.split()[-1])
    tag = rf"[-*_\"(\[<\u201c ]*(?:{name}|{first})(?: \([^)]*\))?[*_\")\]>]*(?:\s*:|[,!] )"
    return re.match(tag, answer.text.strip(), re.IGNORECASE) is not None


def _other_speaker(answer: Answer, player: str) -> bool:
    own = {answer.npc, *answer.npc.split()}
    return any(found[1] not in own or found[1] == player for found in SPEAKER.finditer(answer.text))


def _repeats(answers: Sequence[Answer]) -> int:
    """Replies that are, or begin like, one of the NPC's last ones."""
    repeats = 0
    said: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for answer in answers:
        whole = _letters(answer.text)
        opening = _letters(re.split(r"(?<=[.!?\u2026])\s", answer.text.strip())[0])
        last = said[answer.npc][-LAST_REPLIES:]
        same_opening = len(opening) >= MIN_LETTERS and any(opening == o for _, o in last)
        repeats += same_opening or any(whole == w for w, _ in last)
        said[answer.npc].append((whole, opening))
    return repeats


def _language(text: str) -> str | None:
    """The language most of the function words are of; None = too few to tell."""
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())
    hits = {name: sum(word in known for word in words) for name, known in FUNCTION_WORDS.items()}
    best = max(hits, key=lambda name: hits[name])
    return best if hits[best] >= 2 else None


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _time(times_s: Sequence[float], percent: int) -> str:
    finite = sorted(t for t in times_s if t == t)
    return f"{1e3 * finite[(len(finite) - 1) * percent // 100]:.0f} ms" if finite else "-"


def _reused(answers: Sequence[Answer]) -> float:
    return 100 * sum(a.cached_tokens for a in answers) / sum(a.prompt_tokens for a in answers)
