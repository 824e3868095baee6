"""Stage directions: what the NPC does, in the middle of what it says."""

from __future__ import annotations

import re
from typing import Final, Literal

__all__ = ["BracketedDirections", "StageDirections", "StarredDirections"]

StageDirections = Literal["keep", "strip", "apart"]
MAX_CHARS: Final = 200
"""Longest direction; a longer one is none."""
_SENTENCE_END: Final = re.compile(
    r"(?:^|[.!?\u2026\u3002\uff01\uff1f:\n][\"')\]\u201d\u2019]*)\s*$"
)
_BRACKETS: Final = {"(": ")", "[": "]", "\uff08": "\uff09", "\u3010": "\u3011"}
_STEMS: Final = (
    "bow|chuckl|cough|cri|cry|frown|gasp|gestur|giggl|grin|grinn|groan|growl|grumbl|grunt|laugh|"
    "mumbl|murmur|mutter|nod|nodd|paus|scoff|scowl|shiver|shout|shrug|shrugg|sigh|smil|smirk|"
    "snort|sob|sobb|stutter|whisper|wink|yawn|yell"
)
_STAGE_WORK: Final = re.compile(
    rf"(?:{_STEMS})(?:e|s|es|ed|d|ing)?\b.*"
    r"|(?:a )?(?:long |short )?(?:beat|pause|silence)|aside|inaudible|off-?stage"
    r"|(?:to|at) (?:him|her|it|them|your|my)sel(?:f|ves)|under (?:his|her|their) breath"
    r"|(?:the |an? )?(?:other |second |next )?(?:players?|npcs?|characters?|narrator|user)\b.*"
    r"|(?:in|with) an? (?:\w+ )?(?:whisper|voice|tone|smile|grin|sigh|laugh|nod|shrug|wink|frown)",
    re.IGNORECASE,
)
"""Text that is a direction wherever it stands in brackets: "Whispers", "beat", "to himself",
"the other player nods"."""
_VERB: Final = re.compile(r"[a-z]+(?:s|ing|ed)\b.*", re.IGNORECASE)
"""Text that is one where a sentence could begin: "wipes the bar", "Raising a hand"."""
_SPEECH: Final = re.compile(
    r"(?:a|all|also|always|an|and|any\w*|as|at least|but|does|every\w*|for|has|he|here|his|i|if|in|"
    r"is|it|its|just|maybe|my|never|no|not|nothing|now|of|ok|okay|once|only|or|our|perhaps|she|so|"
    r"some\w*|that|the|their|then|there|these|they|this|those|today|tomorrow|unless|us|was|we|well|"
    r"yeah|yes|you|your)\b",
    re.IGNORECASE,
)
"""Words that open an aside which is said aloud: "as always", "not really"."""
_SPOKEN_MARKS: Final = re.compile(r"[,;:\d\"\u201c]|[.!?\u3002\uff01\uff1f]$")
MAX_BARE_WORDS: Final = 3
"""Longest direction, in words, of which nothing is known but its place: "Yell", "seufzt leise"."""
_CONTEXT_CHARS: Final = 8


class _Directions:
    """Lets text through, and takes directions out of it."""

    _begin: re.Pattern[str]
    """Characters that may begin a direction; text without is let through in one go."""

    def __init__(self, mode: StageDirections, found: list[str]) -> None:
        """``found`` gets what is taken out, oldest first."""
        self._keep = mode == "keep"
        self._found = found
        self._held = ""
        self._before = ""
        """The last characters that were let through."""
        self._took_out = False
        """True if a direction was taken out just now."""

    def feed(self, text: str) -> str:
        """Take a piece; hold what may become a direction, up to its end."""
        if self._keep:
            return text
        said, at = [], 0
        while at < len(text):
            if not self._holds:
                found = self._begin.search(text, at)
                plain = len(text) if found is None else found.start()
                said.append(self._let(text[at:plain]))
                at = plain
            if at < len(text):
                said.append(self._take(text[at]))
                at += 1
        return "".join(said)

    @property
    def _holds(self) -> bool:
        """True if a direction may have begun."""
        raise NotImplementedError

    def _take(self, char: str) -> str:
        raise NotImplementedError

    def _cut(self) -> None:
        self._found.append(self._held.strip())
        self._held, self._took_out = "", True

    def _let(self, text: str) -> str:
        if self._took_out and text:
            if not self._before or self._before[-1].isspace():
                text = text.lstrip()  # One space is enough where a direction stood between two.
            self._took_out = not text
        self._before = (self._before + text)[-_CONTEXT_CHARS:]
        return text


class StarredDirections(_Directions):
    """``*wipes a tankard*``.

    A direction stands between single asterisks, and either has several words or stands where a
    sentence could begin. ``*so*`` in mid-sentence, and what stands between two asterisks or more,
    is emphasis: only the asterisks go.
    """

    _begin = re.compile(r"\*")
    _opening = _closing = 0
    """Asterisks around what is held."""

    def rest(self) -> str:
        """Release text whose emphasis was never closed; of an unfinished direction, nothing."""
        unfinished = self._opening == 1 and self._is_direction()
        return "" if unfinished else self._release()

    @property
    def _holds(self) -> bool:
        return self._opening > 0

    def _take(self, char: str) -> str:
        if not self._opening:
            self._opening = 1
        elif char == "*" and not self._held:
            self._opening += 1
        elif char == "*":
            self._closing += 1
            if self._closing == self._opening:
                return self._close()
        elif self._goes_on(char):
            self._held += char
        else:
            return self._release() + self._let(char)
        return ""

    def _goes_on(self, char: str) -> bool:
        if self._closing or char == "\n" or len(self._held) >= MAX_CHARS:
            return False
        return bool(self._held) or not char.isspace()

    def _close(self) -> str:
        if self._opening > 1 or not self._is_direction():
            return self._release()
        self._opening = self._closing = 0
        self._cut()
        return ""

    def _release(self) -> str:
        held, self._held, self._opening, self._closing = self._held, "", 0, 0
        return self._let(held)

    def _is_direction(self) -> bool:
        return len(self._held.split()) > 1 or _SENTENCE_END.search(self._before) is not None


class BracketedDirections(_Directions):
    """``(laughs)``, ``[Whispers]``, ``(Yell)``: in brackets, somebody does something.

    Where a sentence could begin a few bare words are enough, in any language; elsewhere it has to
    be what actors are told.
    """

    _begin = re.compile(f"[{re.escape(''.join(_BRACKETS))}]")
    _opening = ""
    """Bracket that is open; "" = none is."""

    def rest(self) -> str:
        """A bracket that was never closed, unless it began a direction."""
        begun = self._opening and self._held and self._is_direction(finished=False)
        return "" if begun else self._release()

    @property
    def _holds(self) -> bool:
        return bool(self._opening)

    def _take(self, char: str) -> str:
        if not self._opening:
            self._opening = char
            return ""
        if char == _BRACKETS[self._opening] and self._is_direction(finished=True):
            self._opening = ""
            self._cut()
            return ""
        if not self._goes_on(char):
            return self._release() + self._let(char)
        self._held += char
        return ""

    def _goes_on(self, char: str) -> bool:
        if char in "()[]\n\uff08\uff09\u3010\u3011" or len(self._held) >= MAX_CHARS:
            return False
        return bool(self._held) or char.isalpha()

    def _is_direction(self, *, finished: bool) -> bool:
        """``finished``: the bracket was closed, so that its bare words are all there are."""
        if _STAGE_WORK.fullmatch(self._held):
            return True
        if _SPEECH.match(self._held) or not _SENTENCE_END.search(self._before):
            return False
        if _VERB.fullmatch(self._held):
            return True
        few = len(self._held.split()) <= MAX_BARE_WORDS
        return finished and few and not _SPOKEN_MARKS.search(self._held)

    def _release(self) -> str:
        held, self._held = self._opening + self._held, ""
        self._opening = ""
        return self._let(held)
