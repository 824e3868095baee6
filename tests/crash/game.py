"""A game that is played while its server dies, and what its NPCs must remember."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from callsheet import Client, SessionReset
from callsheet.wire import (
    CallsheetError,
    Error,
    ErrorCode,
    Loaded,
    NpcSpec,
    Ok,
    ReplyEnd,
    Saved,
)

__all__ = ["PERSONA", "Asked", "Game", "Remembered"]

PERSONA = "You are a villager."
SAVES = ("first", "second", "third")


@dataclass(frozen=True)
class Remembered:
    """Memories of NPCs."""

    turns: dict[str, tuple[str, ...]]
    """By NPC: what it heard and what it said, in order."""
    facts: dict[str, dict[str, Any]]

    def beyond(self, earlier: Remembered) -> int | None:
        """Replies that these NPCs remember and did not ``earlier``; None = they lost something."""
        more = 0
        for npc, turns in self.turns.items():
            if turns[: len(earlier.turns[npc])] != earlier.turns[npc]:
                return None
            more += len(turns) - len(earlier.turns[npc])
        return more // 2 if self.facts == earlier.facts else None


@dataclass(frozen=True)
class Asked:
    """A change that was asked for and not answered yet."""

    what: str
    of: str
    """A save or an NPC."""
    value: int = 0


@dataclass
class Game:
    """One game."""

    world: str
    npcs: tuple[str, ...]
    now: Remembered = field(init=False)
    """By what the game was told, in the order it was told it."""
    saves: dict[str, Remembered] = field(default_factory=dict)
    times_s: dict[str, float] = field(default_factory=dict)
    """Game times of the saves."""
    asked: Asked | None = None
    answers: Counter[int] = field(default_factory=Counter)
    """Number of answers to each request."""
    loads: int = 0
    interrupted: int = 0
    resets: int = 0
    replies: int = 0
    _said: dict[int, tuple[str, str]] = field(default_factory=dict)
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.now = Remembered(dict.fromkeys(self.npcs, ()), {npc: {} for npc in self.npcs})

    async def begin(self, client: Client) -> list[int]:
        """Bring the NPCs into the world; their handles."""
        handles = await client.spawn(
            [NpcSpec(npc=npc, name=npc, persona=PERSONA) for npc in self.npcs]
        )
        client.on(self._ended, ReplyEnd)
        client.on(self._failed, Error)
        client.on(self._changed, Ok)
        client.on(self._changed, Saved)
        client.on(self._changed, Loaded)
        client.on(self._reset, SessionReset)
        return list(handles.npcs.values())

    async def talk(self, client: Client, npc: str, stop: asyncio.Event) -> None:
        """Say one thing after the other, until told to stop."""
        number = 0
        while not stop.is_set():
            number += 1
            text = f"{self.world} {npc} line {number}"
            reply = await client.say(npc, text)
            self._said[reply._pending.id] = npc, text
            with contextlib.suppress(CallsheetError):
                await reply

    async def keep(
        self, client: Client, handles: list[int], rng: random.Random, stop: asyncio.Event
    ) -> None:
        """Note facts, save, load, delete and forget, one after the other, until told to stop."""
        at = [[float(n), 0.0, 0.0] for n in range(len(handles))]
        while not stop.is_set():
            await client.send_tick(client.game_clock.time_s, handles, at)
            saves = sorted(self.saves) or [SAVES[0]]
            what = rng.choice(("note", "note", "save", "save", "load", "delete", "forget"))
            match what if self.saves else "save":
                case "note" as what:
                    self.asked = Asked(what, rng.choice(self.npcs), rng.randrange(1_000_000))
                    await client.set_facts(self.asked.of, {"number": self.asked.value})
                case "save" as what:
                    self.asked = Asked(what, rng.choice(SAVES))
                    await client.save(self.asked.of)
                case "load" as what:
                    self.asked = Asked(what, rng.choice(saves))
                    await client.load(self.asked.of)
                case "delete" as what:
                    self.asked = Asked(what, rng.choice(saves))
                    await client.delete_save(self.asked.of)
                case "forget" as what:
                    self.asked = Asked(what, rng.choice(self.npcs))
                    await client.forget([self.asked.of])
            await asyncio.sleep(rng.uniform(0, 0.05))

    async def until_told(self, answers: int) -> None:
        """Wait for so many more answers."""
        told = self.answers.total() + answers
        while self.answers.total() < told:
            self._told.clear()
            await self._told.wait()

    @property
    def settled(self) -> dict[str, Remembered]:
        """The saves that are there, and that nobody asked to change."""
        asked = self.asked.of if self.asked is not None else None
        return {name: held for name, held in self.saves.items() if name != asked}

    def possible(self) -> list[Remembered]:
        """Memories of the NPCs now, but for replies that the game was not told of."""
        return [self.now] if self.asked is None else [self.now, self._after(self.asked)]

    def _after(self, asked: Asked) -> Remembered:
        now = self.now
        match asked:
            case Asked("load", name):
                return self.saves[name]
            case Asked("note", npc, number):
                return replace(now, facts=now.facts | {npc: {"number": number}})
            case Asked("forget", npc):
                return Remembered(now.turns | {npc: ()}, now.facts | {npc: {}})
        return now

    def _changed(self, answer: Ok | Saved | Loaded) -> None:
        assert self.asked is not None
        assert answer.id is not None
        self._count(answer.id)
        self.now = self._after(self.asked)
        match answer, self.asked:
            case Saved(name=name), Asked("save", of):
                assert name == of
                self.saves[name], self.times_s[name] = self.now, answer.time_s
            case Loaded(name=name), Asked("load", of):
                assert (name, answer.time_s) == (of, self.times_s[name])
                self.loads += 1
            case Ok(), Asked("delete", name):
                del self.saves[name]
            case Ok(), Asked("note" | "forget"):
                pass
            case _:
                raise AssertionError(f"{answer} to {self.asked}")
        self.asked = None

    def _ended(self, end: ReplyEnd) -> None:
        if end.id is not None:
            self._count(end.id)
            npc, heard = self._said[end.id]
            if end.finish_reason == "cancelled":
                assert end.message, end
                return
            assert end.finish_reason == "stop", end
            self.remember(npc, heard, end.text)

    def remember(self, npc: str, heard: str, said: str) -> None:
        """Note that an NPC has answered."""
        self.replies += 1
        turns = self.now.turns | {npc: (*self.now.turns[npc], heard, said)}
        self.now = replace(self.now, turns=turns)

    def _failed(self, error: Error) -> None:
        assert error.code == ErrorCode.INTERRUPTED, error
        assert error.id is not None
        self._count(error.id)
        self.interrupted += 1

    def _count(self, request: int) -> None:
        self.answers[request] += 1
        self._told.set()

    def _reset(self, _: SessionReset) -> None:
        self.resets += 1
