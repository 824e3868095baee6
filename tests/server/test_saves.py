"""Saves, loads and forgetting, on the real server: what an NPC is asked with, before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from server.client import Client
from server.conftest import StartServer, scripted
from server.open_book import OpenBook
from storage.worlds import BROKEN

from callsheet.wire import (
    Bye,
    DeleteSave,
    Despawn,
    Error,
    ErrorCode,
    Facts,
    Forget,
    GetFacts,
    Hint,
    HintCalls,
    ListSaves,
    Load,
    Loaded,
    Ok,
    RegisterScript,
    ReplyDelta,
    ReplyEnd,
    Save,
    Saved,
    Saves,
    ScheduledCall,
    SetFacts,
    UpdateNpc,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.handlers import saving
from callsheet_server.storage import saved
from callsheet_server.storage.changes import Change


@pytest.fixture
def kept(tmp_path: Path) -> dict[str, Any]:
    return {"directory": str(tmp_path / "worlds")}


async def save(game: Client, name: str) -> Saved:
    return await game.ask(Save(id=game.next_id(), name=name), Saved)


async def load(game: Client, name: str) -> Loaded:
    return await game.ask(Load(id=game.next_id(), name=name), Loaded)


async def tell(game: Client, text: str, npc: str = "bob") -> None:
    await game.reply(await game.say(npc, text))


async def facts(game: Client, npc: str = "bob") -> dict[str, Any]:
    return (await game.ask(GetFacts(id=game.next_id(), npc=npc), Facts)).facts


async def test_a_secret_told_after_the_save_is_not_known_after_the_load(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    engine = OpenBook()
    server = await start_server(engine, storage=kept)
    async with Client(server.port) as game:
        (bob,) = (await game.spawn("bob")).npcs
        await game.tick([bob.handle], [[0, 0, 0]], game_time_s=100.0)
        await tell(game, "good morning")
        await game.ask(SetFacts(id=game.next_id(), npc="bob", facts={"met": True}), Ok)
        assert (await save(game, "before the gate")).time_s == 100.0
        await game.tick([bob.handle], [[0, 0, 0]], game_time_s=1000.0)
        await game.ask(SetFacts(id=game.next_id(), npc="bob", facts={"thief": "ann"}), Ok)
        await tell(game, "I stole the ring")
        await save(game, "after the gate")
        loaded = await load(game, "before the gate")
        assert loaded.time_s == server.rooms["town"].world.game_time_s == 100.0
        await game.tick([bob.handle], [[5, 0, 0]], game_time_s=100.5)
        await tell(game, "what do you know of me?")
        assert engine.knows("good morning")
        assert not engine.knows("ring")
        assert await facts(game) == {"met": True}
        await load(game, "after the gate")
        await tell(game, "and now?")
        assert engine.knows("ring"), "other saves stay reachable"
        assert await facts(game) == {"met": True, "thief": "ann"}
        assert not any(isinstance(m, Error) for m in game.received)


async def test_saves_are_listed_replaced_deleted_and_outlive_the_session(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    server = await start_server(storage=kept)
    async with Client(server.port) as game:
        for name in ("1", "2", "1"):
            await save(game, name)
        await game.ask(DeleteSave(id=game.next_id(), name="2"), Ok)
        await save(game, "3")
        await game.send(Bye())
        await game.closed()
    await server.close()
    server = await start_server(storage=kept)
    async with Client(server.port) as game:
        listed = await game.ask(ListSaves(id=game.next_id()), Saves)
        assert [save.name for save in listed.saves] == ["1", "3"]
        assert listed.saves[0].saved_at <= listed.saves[1].saved_at
        for message in (Load(id=game.next_id(), name="2"), DeleteSave(id=game.next_id(), name="2")):
            error = await game.refusal(message)
            assert (error.code, error.field, error.value) == (
                ErrorCode.UNKNOWN_SAVE,
                "name",
                '"2"',
            )
        await load(game, "3")


async def test_a_loaded_world_is_the_one_that_a_restart_brings_back(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    engine = OpenBook()
    server = await start_server(engine, storage=kept)
    async with Client(server.port) as game:
        (bob,) = (await game.spawn("bob", schedule=(ScheduledCall(at_s=50.0),))).npcs
        await game.tick([bob.handle], [[0, 0, 0]], game_time_s=10.0)
        await tell(game, "good morning")
        await save(game, "morning")
        await tell(game, "a secret")
        update = UpdateNpc(id=game.next_id(), npc="bob", schedule=(ScheduledCall(at_s=99.0),))
        await game.ask(update, Ok)
        await load(game, "morning")
        resume = game.resumption()
        game.drop()
    await server.close()
    engine = OpenBook()
    server = await start_server(engine, storage=kept)
    world = server.rooms["town"].world
    assert world.game_time_s == 10.0
    assert world.npcs["bob"].spec.schedule == (ScheduledCall(at_s=50.0),)
    assert world.columns.scheduled_call_s[world.npcs["bob"].row] == 50.0
    async with Client(server.port, resume=resume) as game:
        await tell(game, "what do you know?")
        assert engine.knows("good morning")
        assert not engine.knows("secret")


async def test_schedules_and_announced_calls_go_back(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    server = await start_server(storage=kept)
    async with Client(server.port) as game:
        world = server.rooms["town"].world
        await game.spawn("bob", "eve", "ida")
        await game.ask(HintCalls(id=game.next_id(), hints=(Hint(npc="bob", in_s=30.0),)), Ok)
        await save(game, "a")
        hints = (Hint(npc="bob", in_s=70.0), Hint(npc="eve", in_s=5.0))
        await game.ask(HintCalls(id=game.next_id(), hints=hints), Ok)
        schedule = (ScheduledCall(at_s=60.0, every_s=60.0),)
        await game.ask(UpdateNpc(id=game.next_id(), npc="ida", schedule=schedule), Ok)
        await load(game, "a")
        calls_s = {n: world.columns.scheduled_call_s[npc.row] for n, npc in world.npcs.items()}
        assert calls_s["bob"] == 30.0
        assert calls_s["eve"] != calls_s["eve"], "no call"
        assert calls_s["ida"] != calls_s["ida"], "no call"
        assert world.npcs["ida"].spec.schedule == ()


async def test_open_replies_are_cancelled_with_a_reason_and_not_remembered(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    server = await start_server(scripted(token_delay_s=0.01), storage=kept)
    async with Client(server.port) as game:
        await game.spawn("bob")
        await save(game, "a")
        asked = await game.say("bob", "tell me a long story")
        await game.get(ReplyDelta)
        await load(game, "a")
        end = await game.get(ReplyEnd, id=asked)
        assert (end.finish_reason, end.code) == ("cancelled", None)
        assert end.message == "the game loaded the save 'a'"
        await game.settle()
        assert server.rooms["town"].memory.turns("bob") == ()
    await server.storage.flush()


async def test_mods_and_observers_are_told_of_a_load(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    server = await start_server(storage=kept)
    async with (
        Client(server.port) as game,
        Client(server.port, role="mod") as mod,
        Client(server.port, role="observer") as observer,
    ):
        await game.spawn("bob")
        await save(game, "a")
        await load(game, "a")
        for other in (mod, observer):
            told = await other.get(Loaded)
            assert (told.id, told.name, told.time_s) == (None, "a", 0.0)
        assert [m.id for m in game.received if isinstance(m, Loaded)] != [None]
        refused = await mod.refusal(Save(id=mod.next_id(), name="a"))
        assert refused.code == ErrorCode.FORBIDDEN


async def test_what_is_said_right_after_a_load_is_answered_from_the_save(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    """Requests need not wait for each other's answers."""
    engine = OpenBook()
    server = await start_server(engine, storage=kept)
    async with Client(server.port) as game:
        await game.spawn("bob")
        await tell(game, "good morning")
        await game.send(Save(id=game.next_id(), name="a"))
        await game.send(SetFacts(id=game.next_id(), npc="bob", facts={"late": 1}))
        await game.send(Load(id=game.next_id(), name="a"))
        await game.send(SetFacts(id=game.next_id(), npc="bob", facts={"new": 2}))
        await tell(game, "what do you know?")
        assert engine.knows("good morning")
        assert await facts(game) == {"new": 2}


async def test_who_left_remembers_and_who_is_to_forget_forgets(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    engine = OpenBook()
    server = await start_server(engine, storage=kept)
    async with Client(server.port) as game:
        await game.spawn("bob", "eve")
        await tell(game, "a secret")
        await tell(game, "a rumour", "eve")
        await game.ask(Despawn(id=game.next_id(), npcs=("bob", "eve")), Ok)
        await game.ask(Forget(id=game.next_id(), npcs=("eve",)), Ok)
        await game.spawn("bob", "eve", players=())
        await tell(game, "well?")
        assert engine.knows("secret")
        await tell(game, "well?", "eve")
        assert not engine.knows("rumour")
        await game.ask(Forget(id=game.next_id()), Ok)
        await tell(game, "who am I?")
        assert not engine.knows("secret")


async def test_what_happened_after_a_game_time_is_forgotten(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    engine = OpenBook()
    server = await start_server(engine, storage=kept)
    async with Client(server.port) as game:
        (bob,) = (await game.spawn("bob")).npcs
        for time_s, text in ((10.0, "good morning"), (20.0, "a secret")):
            await game.tick([bob.handle], [[0, 0, 0]], game_time_s=time_s)
            await tell(game, text)
            fact = {text.split()[1]: True}
            await game.ask(SetFacts(id=game.next_id(), npc="bob", facts=fact), Ok)
        await game.ask(Forget(id=game.next_id(), npcs=("bob",), after_s=15.0), Ok)
        await tell(game, "what do you know?")
        assert engine.knows("good morning")
        assert not engine.knows("secret")
        assert await facts(game) == {"morning": True}


async def test_a_server_that_keeps_nothing_refuses_saves_and_despawn_still_keeps(
    start_server: StartServer,
) -> None:
    engine = OpenBook()
    server = await start_server(engine)
    async with Client(server.port) as game:
        await game.spawn("bob")
        await tell(game, "a secret")
        error = await game.refusal(Save(id=game.next_id(), name="a"))
        assert (error.code, "storage.directory" in error.message) == (
            ErrorCode.STORAGE_FAILED,
            True,
        )
        refused = await game.refusal(Forget(id=game.next_id(), after_s=1.0))
        assert refused.code == ErrorCode.STORAGE_FAILED
        await game.ask(Despawn(id=game.next_id(), npcs=("bob",)), Ok)
        await game.spawn("bob", players=())
        await tell(game, "well?")
        assert engine.knows("secret")
        await game.ask(Despawn(id=game.next_id(), npcs=("bob",)), Ok)
        await game.ask(Forget(id=game.next_id()), Ok)
        await game.spawn("bob", players=())
        await tell(game, "well?")
        assert not engine.knows("secret")


@pytest.mark.parametrize("request_type", [Save, Load, DeleteSave, Forget])
async def test_a_change_that_cannot_be_kept_changes_nothing(
    start_server: StartServer, kept: dict[str, Any], request_type: type[Any]
) -> None:
    engine = OpenBook()
    server = await start_server(engine, storage=kept)
    async with Client(server.port) as game:
        (bob,) = (await game.spawn("bob")).npcs
        await tell(game, "good morning")
        await save(game, "a")
        await game.tick([bob.handle], [[0, 0, 0]], game_time_s=10.0)
        await tell(game, "a secret")
        await game.ask(HintCalls(id=game.next_id(), hints=(Hint(npc="bob", in_s=30.0),)), Ok)
        room = server.rooms["town"]
        before = list(room.saves.values())
        fields = {} if request_type is Forget else {"name": "b" if request_type is Save else "a"}
        message = request_type(id=game.next_id(), **fields)
        room.journal.submit(Change((BROKEN,)))
        error = await game.refusal(message)
        assert error.code == ErrorCode.STORAGE_FAILED
        assert list(room.saves.values()) == before
        assert room.world.game_time_s == 10.0
        assert room.world.columns.scheduled_call_s[room.world.npcs["bob"].row] == 40.0
        await tell(game, "what do you know?")
        assert engine.knows("good morning")
        assert engine.knows("secret")


async def test_a_world_has_so_many_saves_and_a_list_fits_a_message(
    start_server: StartServer, kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start_server(storage=kept, limits={"max_messages_per_s": 10_000.0})
    room = server.rooms.open("town")
    async with Client(server.port) as game:
        await save(game, "a")
        widest = {f"{n:03}" + '"\U0001f3f0' * 30 + "\x01": 0 for n in range(saving.MAX_SAVES - 1)}
        one = room.saves["a"]
        room.saves |= {name: saved.Save(name, one.time_s, one.saved_at) for name in widest}
        refused = await game.refusal(Save(id=game.next_id(), name="b"))
        assert (refused.code, refused.limit) == (ErrorCode.LIMIT_EXCEEDED, saving.MAX_SAVES)
        await save(game, "a")
        listed = await game.ask(ListSaves(id=game.next_id()), Saves)
        assert len(listed.saves) == saving.MAX_SAVES


async def test_what_no_save_reaches_leaves_the_disk(
    start_server: StartServer, kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "SWEPT_ROWS", 2)
    server = await start_server(storage=kept)
    async with Client(server.port) as game:
        await game.spawn("bob")
        await save(game, "a")
        for number in range(5):
            await tell(game, f"line {number}")
        await save(game, "b")
        await load(game, "a")
        assert await rows(server) == 10, "b holds them"
        await game.ask(DeleteSave(id=game.next_id(), name="b"), Ok)
        while await rows(server):
            await server.storage.flush()


async def rows(server: CallsheetServer) -> int:
    counted: list[int] = []
    change = Change(read=lambda file: file.count("turns"), done=counted.append)
    server.rooms["town"].journal.submit(change)
    await server.storage.flush()
    return counted[0]


async def test_a_mods_script_may_set_facts_for_the_loaded_world(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    server = await start_server(storage=kept)
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        await game.spawn("bob")
        script = RegisterScript(id=mod.next_id(), script="s", npcs=("bob",))
        await mod.send(script)
        await save(game, "a")
        await load(game, "a")
        await mod.get(Loaded)
        await mod.ask(SetFacts(id=mod.next_id(), npc="bob", facts={"quest": "begun"}), Ok)
        assert await facts(game) == {"quest": "begun"}
        await load(game, "a")
        assert await facts(game) == {}
