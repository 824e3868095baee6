"""Changes of a large world: cut into slices, whole for those inside, no matter to others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from server.client import Client

from callsheet.wire import (
    Bye,
    Despawn,
    NpcSpec,
    Ok,
    RegisterScript,
    ScriptRegistered,
    Spawn,
    Spawned,
    TickAck,
    WorldClosed,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.rooms import long_work as long_work_module
from callsheet_server.rooms.long_work import LongWork

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


async def fill(game: Client) -> None:
    specs = tuple(NpcSpec(npc=n, name=n, persona="One of many.", archetype="crowd") for n in NAMES)
    await game.ask(Spawn(id=game.next_id(), npcs=specs), Spawned)


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
