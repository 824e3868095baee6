"""Name tags, as in a play: ``Bram: Aye.`` An NPC speaks for nobody but itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Final

__all__ = ["Speakers"]

MAX_NAME_CHARS: Final = 64
_OWN_ROLES: Final = ("assistant", "npc", "ai")
_OTHER_ROLES: Final = ("user", "human", "system", "player")
"""Names that chat formats have for those who speak, other than the model."""
_DECORATION: Final = re.compile(r"[-*_\"\u201c\u201e\u00ab'(\[<#>\u2013\u2014 ]{0,4}")
_QUOTES: Final = '"\u201c\u201d\u00ab\u00bb'
_VERBS: Final = ("says", "said", "replies", "answers", "whispers")
_VERB: Final = re.compile(rf" (?:{'|'.join(_VERBS)})")
_ASIDE: Final = r"(?: ?[(\[*][^)\]*\n]{0,40}[)\]*])?[*_\"\u201d\u00bb')\]>]{0,3} ?"
_AFTER_NAME: Final = re.compile(rf"(?:{_VERB.pattern})?{_ASIDE}[:\uff1a][*_]{{0,3}}")
_ASIDE_GROWING: Final = re.compile(rf"{_ASIDE}| ?[(\[*][^)\]*\n]{{0,40}}")
_VOCATIVE: Final = re.compile(r"[,!] ")
_NAME_WORD: Final = re.compile(r"(?:Dr|Mrs?|Ms|St)\.|[^\W\d_][\w-]+|\d{1,3}")
_SMALL_WORDS: Final = {"of", "the", "de", "von", "van"}
_SENTENCE_END: Final = r"[.!?\u2026][\"')\]\u201d\u2019*]{0,6}\s|[\u3002\uff01\uff1f]"
_ENDS_SENTENCE: Final = re.compile(rf"(?:{_SENTENCE_END})$")
_START: Final = re.compile(rf"\n|{_SENTENCE_END}")
"""Text after which a tag may stand."""
_CONTEXT_CHARS: Final = 8


class _Start(Enum):
    """Place at which a tag may stand."""

    REPLY = auto()
    LINE = auto()
    SENTENCE = auto()


class _Whose(Enum):
    NOBODY = auto()
    UNDECIDED = auto()
    OWN = auto()
    ANOTHER = auto()


class Speakers:
    """Drops the NPC's own name tag, and ends the reply before somebody else's line.

    Somebody else is who is known to speak here; on a line of its own also anything that looks like
    a name. At the reply's beginning what looks like a name, and is nobody's, is taken for one more
    name of the NPC's ("Innkeeper:").
    """

    def __init__(
        self, own_name: str, speakers: Iterable[str], is_known: Callable[[str], bool]
    ) -> None:
        """Know the names.

        Args:
            own_name: the NPC's.
            speakers: who takes part in this talk, and what else may stand before a colon.
            is_known: tells whether somebody of the world has a name.
        """
        full = own_name.casefold()
        self._own = {full, *(word for word in full.split() if len(word) > 2), *_OWN_ROLES}
        self._called = {full, *full.split()[-1:]}
        """Names it could call itself by; "Captain, ..." may well be somebody else."""
        self._others = {name.casefold() for name in (*speakers, *_OTHER_ROLES)} - self._own
        self._initials = {name[:1] for name in self._own | self._others}
        self._is_known = is_known
        self._start: _Start | None = _Start.REPLY
        """None = in the middle of a sentence."""
        self._head = ""
        """Text that is held, as it may become a tag."""
        self._before = ""
        self._capital = False
        """The next letter begins what was behind a tag."""
        self.spoke_as = ""
        """Name of somebody else whose line ended the reply; "" = nobody's did."""

    def feed(self, text: str) -> str:
        """Take a piece; hold what may become a tag."""
        said, at = [], 0
        while at < len(text) and not self.spoke_as:
            if self._start is None and not self._capital:
                plain = self._until_start(text[at:])
                said.append(plain)
                at += len(plain)
            else:
                said.append(self._take(text[at]))
                at += 1
        return "".join(said)

    def rest(self) -> str:
        """Release what is still held; it did not become a tag."""
        head, self._head = self._head, ""
        return "" if self.spoke_as else self._let(head)

    def _take(self, char: str) -> str:
        if self._start is None or (not self._head and self._begins_no_tag(char)):
            return self._let(char)
        self._head += char
        whose, length = self._judge(self._head, self._start)
        if whose is _Whose.UNDECIDED:
            return ""
        if whose is _Whose.ANOTHER:
            self.spoke_as = self._head.strip(" :*\uff1a")
            return ""
        tag, head, self._head = self._head[:length], self._head[length:], ""
        if whose is _Whose.OWN:
            self._capital = True
            return self.feed('"' * (sum(map(tag.count, _QUOTES)) % 2) + head)
        self._start = None
        return self._let(head[0]) + self.feed(head[1:])

    def _begins_no_tag(self, char: str) -> bool:
        """True if nothing that begins with ``char`` can be a tag here; most sentences show it."""
        if self._start is _Start.SENTENCE and char.isalnum():
            return char.casefold() not in self._initials
        return char.isspace()

    def _until_start(self, text: str) -> str:
        """Let text in the middle of a sentence through, up to where a tag may stand."""
        known = len(self._before)
        context = self._before + text
        end = next((f.end() for f in _START.finditer(context) if f.end() > known), len(context))
        said = context[known:end]
        self._note(said)
        return said

    def _let(self, text: str) -> str:
        if self._capital and text.isspace():
            return ""
        if self._capital and text.isalpha():
            text, self._capital = text.upper(), False
        self._note(text)
        return text

    def _note(self, text: str) -> None:
        """Note where the text that was let through ends."""
        self._before = (self._before + text)[-_CONTEXT_CHARS:]
        if self._start is not _Start.REPLY or text.strip():
            if text.endswith("\n"):
                self._start = _Start.LINE
            elif _ENDS_SENTENCE.search(self._before):
                self._start = _Start.SENTENCE
            elif not text.isspace():
                self._start = None

    def _judge(self, head: str, start: _Start) -> tuple[_Whose, int]:
        """Judge whose tag ``head`` begins with, and how long the tag is."""
        decoration = _DECORATION.match(head)
        assert decoration is not None
        at = decoration.end()
        body = head[at:]
        if not body:
            return (_Whose.UNDECIDED if at <= 3 else _Whose.NOBODY), 0
        folded = body.casefold()
        growing = len(body) <= MAX_NAME_CHARS and (
            any(name.startswith(folded) for name in self._own | self._others)
            or (start is not _Start.SENTENCE and _may_be_name(body))
        )
        for name in self._names(body, start):
            found = _AFTER_NAME.match(body, len(name))
            if found is not None and found.end() < len(body):
                # One more character tells "Bram: " from "3:15", and ends the decoration.
                if (
                    body[found.end()].isspace()
                    or body[found.end()] in "\"\u201c'*"
                    or _wide(found[0])
                ):
                    return self._whose(name, start), at + found.end()
                return _Whose.NOBODY, 0
            if found is not None or _tag_may_go_on(body[len(name) :]):
                growing = True
            if start is _Start.REPLY and name.casefold() in self._called:
                vocative = _VOCATIVE.match(body, len(name))
                if vocative is not None:
                    return _Whose.OWN, at + vocative.end()
                growing = growing or body[len(name) :] in (",", "!")
        return (_Whose.UNDECIDED if growing else _Whose.NOBODY), 0

    def _names(self, body: str, start: _Start) -> list[str]:
        """List the names that ``body`` may begin with, the longest first."""
        folded = body.casefold()
        known = (name for name in self._own | self._others if folded.startswith(name))
        names = [body[: len(name)] for name in sorted(known, key=len, reverse=True)]
        if start is not _Start.SENTENCE:
            looks = _leading_name(body)
            if looks and looks not in names:
                names.append(looks)
        return names

    def _whose(self, name: str, start: _Start) -> _Whose:
        folded = name.casefold()
        if folded in self._own:
            return _Whose.OWN
        if folded in self._others or self._is_known(folded) or start is not _Start.REPLY:
            return _Whose.ANOTHER
        return _Whose.OWN


def _tag_may_go_on(text: str) -> bool:
    """True while what stands behind a name may become the rest of a tag."""
    verb = _VERB.match(text)
    if _ASIDE_GROWING.fullmatch(text, verb.end() if verb is not None else 0):
        return True
    return text.startswith(" ") and any(verb.startswith(text[1:]) for verb in _VERBS)


def _wide(tag: str) -> bool:
    return "\uff1a" in tag


def _leading_name(text: str) -> str:
    """The words at the beginning of ``text`` that look like a name: capitals, four at most."""
    end = 0
    for count in range(4):
        at = end + (count > 0)
        word = _NAME_WORD.match(text, at)
        if word is None or (count and text[end : end + 1] != " "):
            break
        if not (word[0][0].isupper() or (count and (word[0] in _SMALL_WORDS or word[0].isdigit()))):
            break
        end = word.end()
    return text[:end]


def _may_be_name(text: str) -> bool:
    """True while ``text`` could be, or become, what ``_leading_name`` takes for a name."""
    *words, last = text.split(" ")
    if len(words) > 3:
        return False
    whole = _leading_name(text)
    if whole == text or (len(last) == 1 and last.isupper()):
        return True
    if whole != " ".join(words):
        return False
    return not last or any(word.startswith(last) for word in _SMALL_WORDS)
