"""Moderation: what players say and what NPCs answer is judged before anybody hears it.

Two judges, each off unless it is set: a word list, and a function of yours. See docs/security.md.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from callsheet.wire.errors import ErrorCode, error_for
from callsheet_server.talk.speech.sentences import Said
from callsheet_server.talk.word_list import WordList, WordListError
from callsheet_server.transport.errors import SettingFileError

__all__ = [
    "Kind",
    "ModerationSettings",
    "Moderator",
    "Outcome",
    "RefusedReplyError",
    "Spoken",
    "Utterance",
]

logger = logging.getLogger(__name__)

HOOK_THREADS: Final = 4
"""Threads for functions that are not async; while all are busy, the others' time runs too."""
HOOK_TIMEOUT_S = 1.0
"""Longest wait of a player for a judge; past it, the hook has failed."""
MAX_BEFORE_CHARS: Final = 2_000

Kind = Literal["heard", "reply"]
Outcome = Literal["allowed", "refused", "failed"]


class ModerationSettings(BaseModel):
    """Settings of moderation. Nothing is looked at unless a list or a hook is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word_list: Path | None = Field(
        default=None,
        description="Text file: a word, a phrase or a /regular expression/ a line that neither "
        "players nor NPCs may say.",
    )
    hook: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="package.module:function, called with a "
        "callsheet_server.talk.moderation.Utterance; true = it may be said. May be async.",
    )
    on_failure: Literal["refuse", "allow"] = Field(
        default="refuse", description="What a hook that fails or takes too long means."
    )
    safe_line: str = Field(
        default="Let us talk about something else.",
        max_length=1000,
        description="What an NPC says in place of what it may not; empty = it falls silent.",
    )


@dataclass(frozen=True, slots=True)
class Utterance:
    """Utterance to be judged, with who says it where."""

    kind: Kind
    """``heard``: a player says it. ``reply``: an NPC is about to."""
    world: str
    npc: str
    """Empty for the name of a guest who joins."""
    speaker: str
    """Name of who says it, as NPCs know them. A player's is judged too."""
    text: str
    """Text of the utterance. Of a player: all that was said. Of an NPC: its next sentences."""
    before: str = ""
    """Last 2,000 characters of what the NPC has said in this reply already."""


Hook = Callable[[Utterance], bool | Awaitable[bool]]


class RefusedReplyError(Exception):
    """An NPC was about to say what it may not."""


class Moderator:
    """Asks the judges; ``judged`` counts what they said."""

    def __init__(
        self, settings: ModerationSettings, words: WordList | None = None, hook: Hook | None = None
    ) -> None:
        """``words`` and ``hook``: the judges; None = there is no such one."""
        self.judged: Counter[tuple[Kind, Outcome]] = Counter()
        self.safe_line: Final = settings.safe_line
        self._settings = settings
        self._words = words
        self._hook = hook
        blocks = hook is not None and not inspect.iscoroutinefunction(hook)
        self._threads = ThreadPoolExecutor(HOOK_THREADS, "callsheet moderation") if blocks else None

    @property
    def is_on(self) -> bool:
        return self._words is not None or self._hook is not None

    @classmethod
    def load(cls, settings: ModerationSettings) -> Moderator:
        """Read the list and import the hook that the settings name. Blocking.

        Raises:
            SettingFileError: one of them cannot be used.
        """
        words = None if settings.word_list is None else _read_words(settings.word_list)
        hook = None if settings.hook is None else _import_hook(settings.hook)
        return cls(settings, words, hook)

    def close(self) -> None:
        """Stop without waiting: a function that hangs keeps its thread."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def check_heard(self, utterance: Utterance) -> None:
        """Judge what a player says.

        Raises:
            RequestError: ``text_refused``.
        """
        if self.is_on and not await self._allows(utterance):
            raise error_for(
                ErrorCode.TEXT_REFUSED,
                "this may not be said here; say it another way",
                field="text",
            )

    async def check_name(self, world: str, name: str) -> None:
        """Judge what a guest wants to be called, as if it said so. Raises as ``check_heard``."""
        if self.is_on and not await self._allows(Utterance("heard", world, "", name, name)):
            raise error_for(ErrorCode.TEXT_REFUSED, "nobody may be called so here", field="name")

    async def check_reply(self, utterance: Utterance) -> None:
        """Judge what an NPC is about to say; raise ``RefusedReplyError``."""
        if not await self._allows(utterance):
            raise RefusedReplyError

    async def _allows(self, utterance: Utterance) -> bool:
        outcome: Outcome = "allowed"
        # A player chose the name it speaks under; that of an NPC is the game's.
        named = [utterance.speaker] if utterance.kind == "heard" else []
        if self._words is not None and not all(map(self._words.allows, [utterance.text, *named])):
            outcome = "refused"
        elif self._hook is not None:
            try:
                async with asyncio.timeout(HOOK_TIMEOUT_S):
                    outcome = "allowed" if await self._ask(self._hook, utterance) else "refused"
            except Exception as error:
                # What a hook raises may quote what was said, so only its kind is logged.
                logger.error("moderation.hook failed: %s", type(error).__name__)
                outcome = "failed"
        self.judged[utterance.kind, outcome] += 1
        return outcome == "allowed" or (
            outcome == "failed" and self._settings.on_failure == "allow"
        )

    async def _ask(self, hook: Hook, utterance: Utterance) -> bool:
        if self._threads is None:
            answer = hook(utterance)
        else:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._threads, hook, utterance)
        return bool(await answer if inspect.isawaitable(answer) else answer)


def _read_words(path: Path) -> WordList:
    try:
        return WordList(path.read_text("utf-8").splitlines())
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
        raise SettingFileError(f"moderation.word_list = {path}: {why}") from None
    except (WordListError, UnicodeDecodeError) as error:
        raise SettingFileError(f"moderation.word_list = {path}: {error}") from None


def _import_hook(name: str) -> Hook:
    module, _, function = name.partition(":")
    try:
        hook: Hook = getattr(importlib.import_module(module), function)
    except Exception as error:
        raise SettingFileError(
            f"moderation.hook = {name}: {type(error).__name__}: {error}; the module must be "
            "importable where the server runs (PYTHONPATH)"
        ) from error
    return hook


class Spoken:
    """Judges what an NPC says on its way to who hears it, sentence by sentence."""

    def __init__(
        self, moderator: Moderator, world: str, npc: str, name: str, say: Callable[[Said], None]
    ) -> None:
        """``say`` is called with what may be heard."""
        self._moderator = moderator
        self._world, self._npc, self._name = world, npc, name
        self._say = say
        self._said = ""

    async def hear(self, said: Said) -> None:
        """Take the next sentence. Raises ``RefusedReplyError``."""
        if self._moderator.is_on:
            await self._moderator.check_reply(
                Utterance("reply", self._world, self._npc, self._name, said.text, before=self._said)
            )
            self._said = (self._said + said.text)[-MAX_BEFORE_CHARS:]
        self._say(said)
