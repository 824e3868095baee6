"""A game of rounds, rumours and deeds that is played while its server dies.

One thing is asked at a time, so that of all that the server has not answered only one thing can be
on its disk. What that is, is looked up after every kill.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crash.game import PERSONA, Remembered

from callsheet import ActionSpec, Client, SessionReset, SessionState, StateChanged
from callsheet.wire import (
    Action,
    CallsheetError,
    Error,
    ErrorCode,
    NpcSpec,
    ReplyEnd,
)

__all__ = ["WANTED", "Choir"]

WAVE = ActionSpec(name="wave", description="Wave.", parameters={"type": "object"})
SAVES = ("first", "second")
WANTED = ("round", "rumour", "outcome", "save", "load", "forget")

Turns = Mapping[str, tuple[str, ...]]


@dataclass
class Lesson:
    """Texts that NPCs learn in one commit; None = the answer, not known yet."""

    texts: dict[str, tuple[str | None, ...]]
    answer: str | None = None
    known: bool = False

    def by(self, npc: str) -> tuple[str, ...]:
        return tuple((self.answer or "") if text is None else text for text in self.texts[npc])


@dataclass
class Choir:
    """One game, and what its NPCs must remember."""

    world: str
    npcs: tuple[str, ...]
    """Not all of them wave: the scripted engine goes by the name."""
    turns: Turns = field(init=False)
    saves: dict[str, Turns] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    """Number of things of each kind that were answered."""
    answers: Counter[int] = field(default_factory=Counter)
    """Number of last answers to each line."""
    interrupted: int = 0
    resets: int = 0
    _losses: int = 0
    """Number of times the connection was lost."""
    _lessons: list[Lesson] = field(default_factory=list)
    """Under way."""
    _doubtful: list[Lesson] = field(default_factory=list)
    """Of the thing before, without an answer."""
    _by_npc: dict[str, Lesson] = field(default_factory=dict)
    """Lessons that end with an NPC's answer."""
    _goes_to: Turns | None = None
    """State that a load or a forgetting under way leads to."""
    _saving: str | None = None
    _acts: list[tuple[Action, int]] = field(default_factory=list)
    """With the losses by then: an action of a server that is gone has no outcome."""

    def __post_init__(self) -> None:
        self.turns = dict.fromkeys(self.npcs, ())

    @property
    def now(self) -> Remembered:
        return Remembered(dict(self.turns), {npc: {} for npc in self.npcs})

    @property
    def settled(self) -> dict[str, Remembered]:
        """The saves that are there, and that are not being made anew."""
        return {
            name: replace(self.now, turns=dict(held))
            for name, held in self.saves.items()
            if name != self._saving
        }

    async def begin(self, client: Client) -> None:
        """Bring the NPCs into the world."""
        await client.spawn(
            [NpcSpec(npc=n, name=n, persona=PERSONA, action_specs=(WAVE,)) for n in self.npcs]
        )
        client.on(self._ended, ReplyEnd)
        client.on(self._failed, Error)
        client.on(self._act, Action)
        client.on(self._reset, SessionReset)
        client.on(self._changed, StateChanged)

    async def play(self, client: Client, rng: random.Random, stop: asyncio.Event) -> None:
        """Do one thing after the other, until told to stop and each was done to its end."""
        while not stop.is_set() or any(not self.done[what] for what in WANTED):
            text = f"{self.world} line {self.done.total()} {rng.random()}"
            match what := rng.choice(("round", "rumour", "deed") * 2 + ("save", "load", "forget")):
                case "round":
                    await self._round(client, text, tuple(rng.sample(self.npcs, k=3)))
                case "rumour":
                    await self._rumour(client, text, *rng.sample(self.npcs, k=2))
                case "deed":
                    await self._deed(client, text, *rng.sample(self.npcs, k=2))
                case "save":
                    self._saving = rng.choice(SAVES)
                    await client.save(self._saving)
                    self.saves[self._saving], self._saving = dict(self.turns), None
                case "load" if not self.saves:
                    continue
                case "load":
                    name = rng.choice(sorted(self.saves))
                    self._goes_to = self.saves[name]
                    await client.load(name)
                    self.turns, self._goes_to = self.saves[name], None
                case "forget":
                    npc = rng.choice(self.npcs)
                    self._goes_to = {**self.turns, npc: ()}
                    await client.forget([npc])
                    self.turns, self._goes_to = self._goes_to, None
            if all(lesson.known for lesson in self._lessons):
                self.done[what] += 1
            self._doubtful = [lesson for lesson in self._lessons if not lesson.known]
            self._lessons, self._by_npc = [], {}
            await asyncio.sleep(rng.uniform(0, 0.05))

    def audit(self, kept: Turns) -> None:
        """Compare what a killed server has left with what was told; take note of the rest."""
        if self._goes_to is not None and kept == self._goes_to:
            self.turns = self._goes_to
        for lesson in (*self._doubtful, *self._lessons):
            if not lesson.known:
                self._look_up(lesson, kept)
        assert kept == self.turns, f"{self.world}: {kept}, not {self.turns}; {self._lessons}"

    def remember(self, npc: str, heard: str, said: str) -> None:
        """Note that an NPC has answered."""
        self.turns = {**self.turns, npc: (*self.turns[npc], heard, said)}

    # --- one thing ---------------------------------------------------------------------------

    async def _round(self, client: Client, text: str, npcs: tuple[str, ...]) -> None:
        """Put one line to several NPCs."""
        for npc in npcs:
            others = {other: (None,) for other in npcs if other != npc}
            self._by_npc[npc] = Lesson({npc: (text, None), **others})
        self._lessons = list(self._by_npc.values())
        with contextlib.suppress(CallsheetError):
            await (await client.say(npcs, text))

    async def _rumour(self, client: Client, text: str, *npcs: str) -> None:
        """Have NPCs hear something."""
        lesson = Lesson(dict.fromkeys(npcs, (text,)))
        self._lessons.append(lesson)
        await client.hear(npcs, text)
        self._learn(lesson)

    async def _deed(self, client: Client, text: str, npc: str, other: str) -> None:
        """Talk to an NPC; if it acts, tell what became of it, and have another hear of it."""
        self._acts.clear()
        self._by_npc[npc] = Lesson({npc: (text, None)})
        self._lessons = [self._by_npc[npc]]
        try:
            await (await client.say(npc, text))
        except CallsheetError:
            return
        if not self._acts:
            return
        action, losses = self._acts[-1]
        outcome = Lesson({npc: (f"{npc} has done wave: {text}",)})
        self._lessons.append(outcome)
        await client.answer_action(action, message=text)
        await self._rumour(client, f"{text}, it is told", other)
        # An outcome is not answered; what is asked after it on the same connection is.
        if self._losses == losses:
            self._learn(outcome)
            self.done["outcome"] += 1

    # --- what is told ------------------------------------------------------------------------

    def _learn(self, lesson: Lesson) -> None:
        if not lesson.known:
            lesson.known = True
            more = {npc: lesson.by(npc) for npc in lesson.texts}
            assert all("" not in texts for texts in more.values())
            self.turns = {n: (*told, *more.get(n, ())) for n, told in self.turns.items()}

    def _look_up(self, lesson: Lesson, kept: Turns) -> None:
        """See whether a lesson is there; in one memory and not in another is a failure."""
        rest = {npc: kept[npc][len(self.turns[npc]) :] for npc in lesson.texts}
        for npc, texts in lesson.texts.items():
            if lesson.answer is None and None in texts and len(rest[npc]) >= len(texts):
                lesson.answer = rest[npc][texts.index(None)]
        found = [rest[npc][: len(texts)] == lesson.by(npc) for npc, texts in lesson.texts.items()]
        if all(found):
            self._learn(lesson)
        else:
            lesson.answer = None

    def _ended(self, end: ReplyEnd) -> None:
        if end.id is None:
            return
        if not end.more:
            self.answers[end.id] += 1
        assert end.finish_reason == "stop", end
        lesson = self._by_npc[end.npc]
        assert lesson.answer in (None, end.text), f"{end} was {lesson.answer!r} on the disk"
        lesson.answer = end.text
        self._learn(lesson)

    def _failed(self, error: Error) -> None:
        if error.code == ErrorCode.UNKNOWN_REQUEST:
            return  # The result of an action of a server that is gone.
        assert error.code == ErrorCode.INTERRUPTED, error
        assert error.id is not None
        self.answers[error.id] += 1
        self.interrupted += 1

    def _act(self, action: Action) -> None:
        self._acts.append((action, self._losses))

    def _changed(self, change: StateChanged) -> None:
        self._losses += change.state is not SessionState.OPEN

    def _reset(self, _: SessionReset) -> None:
        self.resets += 1
