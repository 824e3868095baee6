"""The client for frame loops: nothing waits, and everything comes in the loop's own thread."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ports import free_port
from sdk.conftest import real_server
from telemetry.small_world import serving

import callsheet
from callsheet import ReplyDelta, ReplyEnd, frames

BRAM: dict[str, Any] = {"name": "Bram", "persona": "You keep the inn."}
Until = Callable[[Callable[[], bool]], Awaitable[None]]


@asynccontextmanager
async def playing(url: str, **options: float) -> AsyncIterator[tuple[frames.FrameClient, Until]]:
    """A game, and what runs its frames until something holds."""
    game = await asyncio.to_thread(frames.connect, url, world="village", **options)  # type: ignore[arg-type]

    async def until(holds: Callable[[], bool]) -> None:
        while not holds():
            game.frame()
            await asyncio.sleep(0.005)

    try:
        yield game, until
    finally:
        await asyncio.to_thread(game.close)


async def test_a_talk_is_drawn_as_it_comes(url: str) -> None:
    async with playing(url) as (game, until):
        bram = game.npc("bram", position=(0, 0), **BRAM)
        ann = game.player("ann", name="Ann", position=(1, 0))
        seen: list[str] = []
        threads: set[int] = set()

        def told(delta: ReplyDelta) -> None:
            threads.add(threading.get_ident())
            assert delta.npc == "bram"
            seen.append(bram.bubble)

        game.on(told, ReplyDelta)
        await until(lambda: bram.handle is not None and ann.handle is not None)
        before = bram.talking
        bram.say("Good evening!", ann)
        assert (before, bram.talking) == (False, True)
        await until(lambda: not bram.talking)
        assert len(seen) > 1
        assert seen == sorted(seen, key=len)
        assert bram.bubble.startswith(seen[-1])
        assert threads == {threading.get_ident()}


async def test_places_go_out_in_metres_at_most_ten_times_a_second(url: str) -> None:
    async with (
        playing(url, units_per_m=32) as (game, until),
        callsheet.connect(url, role="observer", world="village") as watcher,
    ):
        bram = game.npc("bram", position=(320, 64), **BRAM)
        places: set[Sequence[float]] = set()
        ticks: list[float] = []

        def saw(states: callsheet.NpcStates) -> None:
            places.update(npc.position for npc in states.npcs)

        watcher.on(saw, callsheet.NpcStates)
        await watcher.subscribe("npcs", interval_s=0.05)
        began_s = time.monotonic()
        await until(lambda: (10.0, 0.0, 2.0) in places)
        bram.position = (320, 64, 32)
        await until(lambda: (10.0, 2.0, 1.0) in places)
        del ticks
        stats: list[callsheet.Stats] = []
        watcher.on(stats.append, callsheet.Stats)
        await watcher.subscribe("stats", interval_s=0.05)
        await until(lambda: bool(stats))
        assert stats[0].ticks <= (time.monotonic() - began_s) * 10 + 1


async def test_a_server_that_is_absent_is_told_once_and_found_when_it_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = free_port()
    settings = callsheet.ClientSettings(connect_timeout_s=0.2, backoff_max_s=0.05)
    game = await asyncio.to_thread(
        lambda: frames.connect(f"ws://127.0.0.1:{port}", world="village", settings=settings)
    )
    told: list[object] = []
    game.on(told.append, frames.ServerAbsent, frames.Connected, frames.Trouble)
    bram = game.npc("bram", **BRAM)

    async def until(holds: Callable[[], bool]) -> None:
        while not holds():
            game.frame()
            await asyncio.sleep(0.005)

    try:
        with caplog.at_level(logging.WARNING, "callsheet"):
            began_s = time.monotonic()
            await until(lambda: time.monotonic() - began_s > 1.0 and bool(told))
        assert [type(event) for event in told] == [frames.ServerAbsent]
        assert len([r for r in caplog.records if "no server" in r.getMessage()]) == 1
        bram.say("Anybody?")
        await until(lambda: len(told) == 2)
        assert told[1] == frames.Trouble("the server is not there", "bram")
        assert not bram.talking
        async with real_server(port):
            await until(lambda: bram.handle is not None)
            assert game.connected
            assert isinstance(told[2], frames.Connected)
        await until(lambda: not game.connected)
        assert [type(event) for event in told[3:]] == [frames.ServerAbsent]
        async with real_server(port):
            await until(lambda: game.connected and bram.handle is not None)
            bram.say("Back again?")
            await until(lambda: bool(bram.bubble) and not bram.talking)
    finally:
        await asyncio.to_thread(game.close)


async def test_what_is_refused_is_told_and_the_others_are_there(url: str) -> None:
    async with playing(url) as (game, until):
        told: list[frames.Trouble] = []
        game.on(told.append, frames.Trouble)
        bram = game.npc("bram", **BRAM)
        game.npc("hale", name="Hale", adapter="nobody.has.this")
        await until(lambda: bool(told) and bram.handle is not None)
        assert told[0].npc == "hale"
        with pytest.raises(callsheet.CallsheetError, match="npc"):
            game.npc("no blanks", name="X")
        game.remove(bram)
        game.npc("bram", **BRAM)
        await until(lambda: game.npcs["bram"].handle is not None)


async def test_a_callback_may_speak_and_act(url: str) -> None:
    async with playing(url) as (game, until):
        bram, hale = game.npc("bram", **BRAM), game.npc("hale", name="Hale")
        game.on(lambda end: hale.say(end.text) if end.npc == "bram" else None, ReplyEnd)
        bram.say("too early")
        await until(lambda: hale.handle is not None)
        bram.say("Hello!")
        await until(lambda: bool(hale.bubble) and not hale.talking)


async def test_a_bubble_fades(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callsheet.frames.people.BUBBLE_S", 0.0)
    monkeypatch.setattr("callsheet.frames.people.BUBBLE_S_PER_CHAR", 0.0)
    async with playing(url) as (game, until):
        bram = game.npc("bram", **BRAM)
        await until(lambda: bram.handle is not None)
        bram.say("Hello!")
        await until(lambda: bool(bram.bubble))
        await until(lambda: not bram.bubble)


async def test_whatever_the_asyncio_client_can_is_asked_for_without_waiting(
    tmp_path: Path,
) -> None:
    async with (
        serving(storage={"directory": str(tmp_path / "worlds")}) as server,
        playing(f"ws://127.0.0.1:{server.port}") as (game, until),
    ):
        game.npc("bram", position=(0, 0), **BRAM)
        answers: list[object] = []
        threads: set[int] = set()

        def reset(_: callsheet.SessionReset) -> None:
            game.ask(lambda client: client.configure_world(lore="The town is besieged."))

        def loaded(save: callsheet.Loaded) -> None:
            threads.add(threading.get_ident())
            answers.append(save.name)
            game.game_time_s = save.time_s

        async def owe(client: callsheet.Client) -> dict[str, Any]:
            await client.set_facts("bram", {"owes": 3})
            return await client.get_facts("bram")

        troubles: list[frames.Trouble] = []
        game.on(troubles.append, frames.Trouble)
        game.on(reset, callsheet.SessionReset)
        await until(lambda: game.npcs["bram"].handle is not None)
        game.ask(owe, then=answers.append)
        await until(lambda: bool(answers))
        game.ask(lambda client: client.save("evening"), then=lambda save: answers.append(save.name))
        await until(lambda: len(answers) == 2)
        game.frame(3_600.0)
        game.ask(lambda client: client.load("evening"), then=loaded)
        await until(lambda: len(answers) == 3)
        assert answers == [{"owes": 3}, "evening", "evening"]
        assert threads == {threading.get_ident()}
        assert game.game_time_s < 3_600.0
        assert troubles == []
        game.ask(lambda client: client.load("morning"), then=loaded)
        await until(lambda: bool(troubles))
        assert "morning" in troubles[0].reason
