"""Servers that stop and come back with the same folder: what was acked is there, once."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from server.client import Client
from server.conftest import StartServer, scripted
from storage.worlds import BROKEN, texts

from callsheet.wire import (
    Bye,
    ConfigureWorld,
    Despawn,
    Error,
    ErrorCode,
    Facts,
    Forget,
    GetFacts,
    Hint,
    HintCalls,
    NpcSpec,
    Ok,
    ReplyEnd,
    ReplyStart,
    SetFacts,
    Spawn,
    Speaker,
    TickAck,
    UpdateNpc,
)
from callsheet_cli import main
from callsheet_server.app.server import CallsheetServer
from callsheet_server.rooms import persistence
from callsheet_server.storage.changes import Change


@pytest.fixture
def kept(tmp_path: Path) -> dict[str, Any]:
    return {"directory": str(tmp_path / "worlds")}


def turns(server: CallsheetServer, npc: str = "bob") -> list[str]:
    return [turn.text for turn in server.rooms["town"].memory.turns(npc)]


async def recollected(server: CallsheetServer, game: Client) -> list[str]:
    """Memories of an NPC when it was asked once more."""
    await game.reply(await game.say("bob", "and?"))
    return turns(server)[:-2]


async def test_what_was_learned_of_a_world_outlives_the_server(
    start_server: StartServer, kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "LEARNED_EVERY_CALLS", 2)
    first = await start_server(storage=kept)
    async with Client(first.port) as game:
        (bob,) = (await game.spawn("bob")).npcs
        for number in range(4):
            await game.tick([bob.handle], [0, 0, 0], game_time_s=10.0 * number)
            await game.get(TickAck)
            await game.reply(await game.say("bob", "hello"))
        learned = first.rooms["town"].forecast.habits
        game.drop()
        await first.close()

    second = await start_server(storage=kept)
    room = second.rooms["town"]
    assert 2 <= room.forecast.habits.seen_calls <= learned.seen_calls
    row = room.world.npcs["bob"].row
    assert room.forecast.habits.calls[row] >= 2.0


async def test_a_world_and_its_session_outlive_the_server(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    first = await start_server(storage=kept)
    async with Client(first.port) as game:
        spawned = await game.spawn("bob", "eve")
        await game.ask(ConfigureWorld(id=game.next_id(), lore="It rains."), Ok)
        await game.ask(UpdateNpc(id=game.next_id(), npc="eve", persona="A spy."), Ok)
        await game.tick([n.handle for n in spawned.npcs], [[0, 0, 0], [1, 0, 0]], number=9)
        await game.ask(HintCalls(id=game.next_id(), hints=(Hint(npc="bob", in_s=30.0),)), Ok)
        await game.ask(SetFacts(id=game.next_id(), npc="bob", facts={"debt": 3, "x": [1]}), Ok)
        end = await game.reply(await game.say("bob", "hello"))
        resume = game.resumption()
        game.drop()
        await first.close()

    second = await start_server(storage=kept)
    room = second.rooms["town"]
    assert room.world.lore == "It rains."
    assert {n.spec.npc: n.handle for n in room.world.npcs.values()} == {
        n.npc: n.handle for n in spawned.npcs
    }
    assert room.world.npcs["eve"].spec.persona == "A spy."
    assert room.world.columns.scheduled_call_s[room.world.npcs["bob"].row] == 30.0
    assert room.memory.facts("bob") == {"debt": 3, "x": [1]}
    async with Client(second.port, resume=resume) as game:
        assert game.welcome.resumed
        assert game.welcome.session == resume.session
        await game.tick([n.handle for n in spawned.npcs], [[0, 0, 0], [1, 0, 0]], number=1)
        await game.get(TickAck, tick=1)
        facts = await game.ask(GetFacts(id=game.next_id(), npc="bob"), Facts)
        assert facts.facts == {"debt": 3, "x": [1]}
        again = await game.reply(await game.say("bob", "still there?"))
        assert again.reply > end.reply
        assert not any(isinstance(m, Error) for m in game.received)
    assert turns(second) == ["hello", end.text, "still there?", again.text]


async def test_what_was_answered_and_not_acked_is_replayed_after_a_restart(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    first = await start_server(storage=kept)
    async with Client(first.port) as game:
        await game.spawn("bob")
        seen = game.last_seq
        end = await game.reply(await game.say("bob", "hello"))
        last_id = game.next_id() - 1
        resume = game.resumption(last_seq=seen)
        game.drop()
        await first.close()
    for attempt in range(2):  # The second time the client still has not acked.
        server = await start_server(storage=kept)
        async with Client(server.port, resume=resume) as game:
            assert game.welcome.last_request_id == last_id
            again = await game.get(ReplyEnd)
            assert (again.seq, again.id, again.text) == (seen + 1, end.id, end.text)
            refused = await game.refusal(Despawn(id=game.next_id(), npcs=("nobody",)))
            assert refused.seq == seen + 2 + attempt
            resume = game.resumption(last_seq=seen)
            last_id = refused.id or 0
            game.drop()
            await server.close()


async def test_what_was_under_way_is_interrupted(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    first = await start_server(scripted(token_delay_s=5.0), storage=kept)
    async with Client(first.port) as game:
        await game.spawn("bob")
        asked = await game.say("bob", "hello")
        await game.get(ReplyStart)
        await first.storage.flush()
        kept_copy = await asyncio.to_thread(copy_of, Path(kept["directory"]))
        resume = game.resumption()
    second = await start_server(storage={"directory": str(kept_copy)})
    async with Client(second.port, resume=resume) as game:
        error = await game.get(Error)
        assert (error.id, error.code) == (asked, ErrorCode.INTERRUPTED)
        end = await game.reply(await game.say("bob", "again"))
        assert turns(second) == ["again", end.text]


async def test_memories_outlive_the_session_and_a_despawn(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    server = await start_server(storage=kept)
    async with Client(server.port) as game:
        await game.spawn("bob")
        end = await game.reply(await game.say("bob", "hello"))
        await game.ask(SetFacts(id=game.next_id(), npc="bob", facts={"met": True}), Ok)
        await game.send(Bye())
        await game.closed()
    async with Client(server.port) as game:
        await game.spawn("bob")
        assert await recollected(server, game) == ["hello", end.text]
        facts = await game.ask(GetFacts(id=game.next_id(), npc="bob"), Facts)
        assert facts.facts == {"met": True}
        before = turns(server)
        await game.ask(Despawn(id=game.next_id(), npcs=("bob",)), Ok)
        await game.spawn("bob", players=())
        assert await recollected(server, game) == before
        facts = await game.ask(GetFacts(id=game.next_id(), npc="bob"), Facts)
        assert facts.facts == {"met": True}


async def test_a_full_disk_fails_requests_and_undoes_them(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    server = await start_server(
        storage={**kept, "max_world_bytes": 200_000}, reply={"memory_tokens": 500_000}
    )
    async with Client(server.port) as game:
        await game.spawn("bob", "eve")
        answers = [await game.reply(await game.say("bob", f"{n} " + "x" * 3000)) for n in range(4)]
        assert {end.finish_reason for end in answers} == {"stop"}
        number = 4
        while True:
            number += 1
            refusal = await fate(game, await game.say("bob", f"{number} " + "x" * 3900))
            if refusal is not None:
                break
        assert refusal == ErrorCode.STORAGE_FAILED
        before = turns(server)
        assert len(before) == 2 * (number - 1)
        room = server.rooms["town"]
        for request in (
            ConfigureWorld(id=game.next_id(), lore="y" * 16_000),
            UpdateNpc(id=game.next_id(), npc="eve", persona="y" * 16_000),
            SetFacts(id=game.next_id(), npc="eve", facts={"a": "y" * 16_000}),
            Spawn(id=game.next_id(), npcs=(NpcSpec(npc="ida", name="I", persona="y" * 16_000),)),
        ):
            error = await game.refusal(request)
            assert error.code == ErrorCode.STORAGE_FAILED
            assert error.retry_after_s is not None
        assert (room.world.lore, room.world.npcs["eve"].spec.persona) == ("", "A villager.")
        assert room.memory.facts("eve") == {}
        assert set(room.world.npcs) == {"bob", "eve"}
        assert turns(server) == before
        await game.ask(Forget(id=game.next_id(), npcs=("bob",)), Ok)
        end = await game.reply(await game.say("eve", "is there room again?"))
        assert end.finish_reason == "stop"
        assert turns(server, "eve") == ["is there room again?", end.text]


async def test_a_despawn_that_fails_brings_everybody_back(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    server = await start_server(storage=kept)
    async with Client(server.port) as game:
        spawned = await game.spawn("bob")
        end = await game.reply(await game.say("bob", "hello"))
        room = server.rooms["town"]
        # The write that fails is in front of the despawn, in the same journal.
        room.journal.submit(Change([BROKEN]))
        error = await game.refusal(Despawn(id=game.next_id(), npcs=("bob",), players=("ann",)))
        assert error.code == ErrorCode.STORAGE_FAILED
        assert room.world.npcs["bob"].handle == spawned.npcs[0].handle
        assert room.world.players["ann"].handle == spawned.players[0].handle
        assert turns(server) == ["hello", end.text]


async def fate(game: Client, request: int) -> str | None:
    """The code a reply or a say ended with; None = all was well."""
    while True:
        for message in game.received:
            if isinstance(message, Error | ReplyEnd) and message.id == request:
                return message.code
        await game._receive()


def copy_of(folder: Path) -> Path:
    """The folder as a server that was killed now would leave it."""
    return Path(shutil.copytree(folder, folder.with_name("killed")))


async def test_what_a_mod_was_told_is_kept_though_its_session_is_not(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    first = await start_server(storage=kept)
    async with Client(first.port) as game, Client(first.port, role="mod") as mod:
        await game.spawn("bob")
        end = await mod.reply(await mod.say("bob", "psst", speaker=Speaker(kind="narrator")))
        resumptions = game.resumption(), mod.resumption()
        game.drop()
        mod.drop()
        await first.close()
    second = await start_server(storage=kept)
    async with (
        Client(second.port, resume=resumptions[0]) as game,
        Client(second.port, role="mod", resume=resumptions[1]) as mod,
    ):
        assert (game.welcome.resumed, mod.welcome.resumed) == (True, False)
        assert await recollected(second, game) == ["psst", end.text]


async def test_a_world_is_backed_up_while_it_is_played(
    start_server: StartServer, kept: dict[str, Any], tmp_path: Path
) -> None:
    server = await start_server(storage=kept)
    async with Client(server.port) as game:
        await game.spawn("bob")
        backup = tmp_path / "town.backup"
        command = ["world", "backup", "town", str(backup), "--directory", kept["directory"]]
        copying = asyncio.create_task(asyncio.to_thread(main, command))
        told = 0
        while not copying.done():
            await game.reply(await game.say("bob", f"line {told}"))
            told += 1
        assert await copying == 0
        kept_turns = await asyncio.to_thread(texts, backup)
        assert kept_turns == turns(server)[: len(kept_turns)]


async def test_observers_of_new_worlds_leave_nothing_behind(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    server = await start_server(storage=kept)
    for number in range(20):
        async with Client(server.port, role="observer", world=f"nowhere-{number}") as observer:
            await observer.send(Bye())
            await observer.closed()
    async with asyncio.timeout(50):
        while server.rooms:  # noqa: ASYNC110, nobody announces it
            await asyncio.sleep(0.005)
    await asyncio.sleep(0)
    assert server.storage.disk is not None
    folder = server.storage.disk.folder
    assert await asyncio.to_thread(lambda: list(folder.worlds())) == []
    assert not server.storage._journals, "journals of worlds that nobody is in"
