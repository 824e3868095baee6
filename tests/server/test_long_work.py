"""Changes of a large world: cut into slices, whole for those inside, no matter to others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from pathlib import Path
from typing import Any

import pytest
from server.client import Client
from server.conftest import StartServer
from storage.worlds import BROKEN

from callsheet.wire import (
    Bye,
    ConfigureWorld,
    Despawn,
    Error,
    ErrorCode,
    Load,
    Loaded,
    NpcSpec,
    Ok,
    RegisterScript,
    Save,
    Saved,
    ScheduledCall,
    ScriptRegistered,
    Spawn,
    Spawned,
    TickAck,
    WorldClosed,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.rooms import long_work as long_work_module
from callsheet_server.rooms.long_work import LongWork
from callsheet_server.storage.changes import Change
from callsheet_server.world.key import NpcKey

NPCS = 500
NAMES = tuple(f"n{number}" for number in range(NPCS))


@pytest.fixture(autouse=True)
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step a slice: as if every NPC took long."""
    monkeypatch.setattr(long_work_module, "SLICE_S", 0.0)


async def at_once(condition: Callable[[], object]) -> None:
    """Wait, and miss nothing."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0)


def crowd(**fields: Any) -> tuple[NpcSpec, ...]:
    spec = {"persona": "One of many.", "archetype": "crowd", **fields}
    return tuple(NpcSpec(npc=name, name=name, **spec) for name in NAMES)


async def fill(game: Client, **fields: Any) -> None:
    await game.ask(Spawn(id=game.next_id(), npcs=crowd(**fields)), Spawned)


async def test_others_are_served_while_a_crowd_goes(
    game: Client, bystander: Client, server: CallsheetServer
) -> None:
    await fill(game)
    world = server.rooms["town"].world
    await game.send(Despawn(id=900, npcs=NAMES))
    await at_once(lambda: len(world.npcs) <= NPCS)
    await bystander.tick(number=7)
    await bystander.get(TickAck, tick=7)
    assert 1 < len(world.npcs) < NPCS
    await game.get(Ok, id=900)
    assert set(world.npcs) == {"bob"}


async def test_nothing_else_happens_in_a_world_meanwhile(
    game: Client, server: CallsheetServer
) -> None:
    """The next request, though sent at once, finds the change made."""
    await fill(game)
    await game.send(Despawn(id=900, npcs=NAMES))
    await game.send(Spawn(id=901, npcs=(NpcSpec(npc="n499", name="N"),)))
    await game.get(Spawned, id=901)
    assert set(server.rooms["town"].world.npcs) == {"bob", "n499"}


async def test_a_script_is_registered_once_all_its_npcs_have_it(
    game: Client, bystander: Client, server: CallsheetServer
) -> None:
    await fill(game)
    room = server.rooms["town"]
    async with Client(server.port, role="mod") as mod:
        await mod.send(RegisterScript(id=1, script="s", archetypes=("crowd",)))
        await at_once(lambda: room.scripts.script_of("n0"))
        await bystander.tick(number=7)
        await bystander.get(TickAck, tick=7)
        assert room.scripts.script_of("n499") is None
        registered = await mod.get(ScriptRegistered, id=1)
        assert set(registered.npcs) == set(NAMES)
    await server.work.idle()


async def test_a_mod_that_leaves_in_the_middle_leaves_nothing(
    game: Client, server: CallsheetServer
) -> None:
    await fill(game)
    async with Client(server.port, role="mod") as mod:
        await mod.send(RegisterScript(id=1, script="s", archetypes=("crowd",)))
        await at_once(lambda: server.rooms["town"].scripts.script_of("n0"))
        session = next(s for s in server.sessions if s.role == "mod")
        session.close(1000, "gone")
        server.membership.sweep()
    await server.work.idle()
    server.check_integrity()
    assert all(server.rooms["town"].scripts.script_of(name) is None for name in NAMES)


async def test_a_game_that_comes_while_the_last_ones_world_is_emptied_finds_it_empty(
    server: CallsheetServer,
) -> None:
    async with Client(server.port, role="observer") as observer:
        async with Client(server.port) as game:
            await fill(game)
            await game.send(Bye())
            await game.closed()
        async with Client(server.port) as again:
            await again.spawn("n0")
            assert set(server.rooms["town"].world.npcs) == {"n0"}
        await observer.get(WorldClosed)


@pytest.fixture
async def kept_game(
    start_server: StartServer, tmp_path: Path
) -> AsyncIterator[tuple[CallsheetServer, Client, Client]]:
    """A server that keeps worlds, its game of "town", and the game of another world."""
    server = await start_server(storage={"directory": str(tmp_path)})
    async with Client(server.port) as game, Client(server.port, world="village") as other:
        await game.spawn("bob", players=())
        yield server, game, other


async def test_others_are_served_while_a_save_is_loaded(
    kept_game: tuple[CallsheetServer, Client, Client],
) -> None:
    server, game, other = kept_game
    await fill(game, schedule=(ScheduledCall(at_s=5.0),))
    world = server.rooms["town"].world
    await game.ask(Save(id=800, name="before"), Saved)
    for name in NAMES:
        world.columns.scheduled_call_s[world.npcs[name].row] = 9.0
    await game.send(Load(id=801, name="before"))
    await at_once(lambda: not server.work.is_ready("town"))
    await other.tick(number=7)
    await other.get(TickAck, tick=7)
    assert not server.work.is_ready("town")
    await game.get(Loaded, id=801)
    await server.work.idle()
    assert {world.columns.scheduled_call_s[world.npcs[name].row] for name in NAMES} == {5.0}


async def test_others_are_served_while_a_crowd_gets_new_lore(
    game: Client, bystander: Client, server: CallsheetServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(game)
    await server.work.idle()
    (store,) = server.engine.stores
    take, taken = store.take_changes, list[int]()

    def take_changes() -> set[Hashable]:
        changes = take()
        taken.append(len(changes))
        return changes

    monkeypatch.setattr(store, "take_changes", take_changes)
    await game.send(ConfigureWorld(id=900, lore="Rain. " * 2_600))
    await at_once(lambda: server.engine.misfits.why(NpcKey("town", "n0")))
    await bystander.tick(number=7)
    await bystander.get(TickAck, tick=7)
    assert server.engine.misfits.why(NpcKey("town", "n499")) is None
    assert not server.work.is_ready("town")
    await game.get(Ok, id=900)
    assert server.engine.misfits.why(NpcKey("town", "n499")) is not None
    assert max(taken) == 1, "nor is what changed looked at in one piece"


async def test_others_are_served_while_lore_that_cannot_be_kept_goes_again(
    kept_game: tuple[CallsheetServer, Client, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, game, other = kept_game
    await fill(game)
    break_the_disk(server, monkeypatch)
    long_one = NpcKey("town", "n0"), NpcKey("town", "n499")
    await game.send(ConfigureWorld(id=900, lore="Rain. " * 2_600))
    await at_once(lambda: server.engine.misfits.why(long_one[1]))
    await at_once(lambda: server.engine.misfits.why(long_one[0]) is None)
    await other.tick(number=7)
    await other.get(TickAck, tick=7)
    assert server.engine.misfits.why(long_one[1]) is not None
    assert (await game.get(Error, id=900)).code == ErrorCode.STORAGE_FAILED
    assert server.engine.misfits.why(long_one[1]) is None


async def test_others_are_served_while_a_tick_sets_the_clock_back(
    game: Client, bystander: Client, server: CallsheetServer
) -> None:
    await fill(game, schedule=(ScheduledCall(at_s=5.0),))
    room = server.rooms["town"]
    await game.tick(number=2, game_time_s=7.0)
    await game.get(TickAck, tick=2)
    back = '"kind":"keyframe","tick":3,"game_time_s":1.0,"rewind":true,"ack":true,"npcs":[]'
    await game.send_raw(f'{{"type":"tick",{back}}}')
    await at_once(lambda: room.world.game_time_s == 1.0)
    await bystander.tick(number=7)
    await bystander.get(TickAck, tick=7)
    assert not server.work.is_ready("town")
    await game.get(TickAck, tick=3)


def break_the_disk(server: CallsheetServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all changes of "town" fail from now on."""
    journal = server.rooms["town"].journal
    submit = journal.submit

    def fail(change: Change) -> None:
        submit(Change([BROKEN]))
        submit(change)

    monkeypatch.setattr(journal, "submit", fail)


async def test_others_are_served_while_a_crowd_that_cannot_be_kept_goes_again(
    kept_game: tuple[CallsheetServer, Client, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, game, other = kept_game
    world = server.rooms["town"].world
    break_the_disk(server, monkeypatch)
    await game.send(Spawn(id=900, npcs=crowd()))
    await at_once(lambda: 1 < len(world.npcs) <= NPCS)
    await other.tick(number=7)
    await other.get(TickAck, tick=7)
    assert len(world.npcs) > 1
    assert (await game.get(Error, id=900)).code == ErrorCode.STORAGE_FAILED
    assert set(world.npcs) == {"bob"}


async def test_others_are_served_while_a_crowd_that_must_stay_comes_back(
    kept_game: tuple[CallsheetServer, Client, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, game, other = kept_game
    await fill(game)
    world = server.rooms["town"].world
    handles = {name: npc.handle for name, npc in world.npcs.items()}
    break_the_disk(server, monkeypatch)
    await game.send(Despawn(id=900, npcs=NAMES))
    await at_once(lambda: len(world.npcs) == 1)
    await at_once(lambda: len(world.npcs) > 1)
    await other.tick(number=7)
    await other.get(TickAck, tick=7)
    assert len(world.npcs) < len(handles)
    assert (await game.get(Error, id=900)).code == ErrorCode.STORAGE_FAILED
    assert {name: npc.handle for name, npc in world.npcs.items()} == handles


async def test_work_of_a_world_is_done_in_order_and_a_failure_is_not_the_end() -> None:
    done: list[str] = []

    def steps(name: str, count: int) -> Iterator[None]:
        for number in range(count):
            done.append(f"{name}{number}")
            yield

    def broken() -> Iterator[None]:
        yield
        yield
        raise RuntimeError("a bug")

    work = LongWork(asyncio.get_running_loop().time)
    work.run("one", steps("a", 3))
    work.run("one", broken())
    work.run("one", steps("b", 2))
    work.run("other", steps("c", 2))
    assert not work.is_ready("one")
    await work.idle()
    assert [name for name in done if name[0] != "c"] == ["a0", "a1", "a2", "b0", "b1"]
    assert {"c0", "c1"} < set(done)
    assert work.is_ready("one")
    await work.close()
