"""Worlds that come and go on a server whose engine runs in its own process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sized
from pathlib import Path
from typing import Any

import pytest
from server.client import Client

from callsheet.wire import Bye, ConfigureWorld, Ok
from callsheet_residency.state import Tier
from callsheet_server.app import start as app_start
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.engine.embedded.engine import EmbeddedEngine
from callsheet_server.engine.embedded.prefix_store import PrefixStore

PERSONA = "You are {}, a tired innkeeper."
BLOCK_BYTES = 4096
"""16 tokens of the tiny model."""

BOUNDED = {"_buckets", "_loads"}
"""Collections that drop by themselves what is old, or as good as none."""

StartServer = Callable[..., Awaitable[CallsheetServer]]


@pytest.fixture
async def start_server(tiny_model: Path, tmp_path: Path) -> AsyncIterator[StartServer]:
    """Starts servers with the tiny model and worlds on disk."""
    servers: list[CallsheetServer] = []

    async def start(**embedded: Any) -> CallsheetServer:
        settings = Settings.model_validate(
            {
                "server": {"port": 0, "drain_timeout_s": 0.0},
                "limits": {"max_worlds": 256},  # So many may begin at once, too.
                "storage": {"directory": str(tmp_path / "worlds")},
                "embedded": {
                    "model": str(tiny_model),
                    "device": "cpu",
                    "threads": 1,
                    "context_limit_tokens": 512,
                    "disk_budget_bytes": 0,
                    "state_dir": tmp_path / "state",
                    **embedded,
                },
            }
        )
        servers.append(await app_start.start_server(settings, EmbeddedEngine(settings.embedded)))
        return servers[-1]

    yield start
    for server in servers:
        await asyncio.to_thread(server.engine.check_integrity)
        server.storage.check_integrity()
        await server.close()


def prefixes_of(server: CallsheetServer) -> PrefixStore:
    store = server.engine.stores[0]
    assert isinstance(store, PrefixStore)
    return store


async def test_an_npc_spawned_since_the_last_tick_answers_when_the_device_is_full(
    start_server: StartServer,
) -> None:
    server = await start_server(device_budget_bytes=24 * BLOCK_BYTES)
    async with Client(server.port) as game:
        names = [f"npc{number}" for number in range(4)]
        spawned = await game.spawn(*names, persona=PERSONA.format("Ann") * 2)
        await game.tick([npc.handle for npc in spawned.npcs], [[0.0, 0.0, 0.0]] * 4)
        for name in names:
            await game.reply(await game.say(name, max_tokens=2))
        store = prefixes_of(server)
        assert store.used_bytes(Tier.HOST) > 0, "the device was full before"
        await game.spawn("late", players=(), persona=PERSONA.format("Late") * 2)
        for name in ("late", "npc0"):
            end = await game.reply(await game.say(name, max_tokens=2))
            assert (end.finish_reason, end.code) == ("length", None)


async def play(server: CallsheetServer, number: int) -> None:
    """A match: a world with lore, an NPC that may be spoken to, and its end."""
    async with Client(server.port, world=f"match{number}") as game:
        lore = f"This is match {number}. The castle has stood for a thousand years."
        await game.ask(ConfigureWorld(id=game.next_id(), lore=lore), Ok)
        spawned = await game.spawn("bob", persona=PERSONA.format("Bob"))
        await game.tick([npc.handle for npc in spawned.npcs], [[0.0, 0.0, 0.0]])
        if number % 4 == 0:
            await game.reply(await game.say("bob", "Hm", max_tokens=1))
        await game.send(Bye())
        await game.closed()


async def test_two_hundred_worlds_leave_nothing_behind(start_server: StartServer) -> None:
    server = await start_server(
        device_budget_bytes=400 * BLOCK_BYTES, host_budget_bytes=400 * BLOCK_BYTES
    )
    store = prefixes_of(server)
    room_bytes = store.capacity_bytes(Tier.DEVICE)
    before = dict(books(server, "server", set()))
    for first in range(0, 200, 8):
        await asyncio.gather(*(play(server, number) for number in range(first, first + 8)))
    await at_rest(server, before)
    assert store.capacity_bytes(Tier.DEVICE) == room_bytes
    assert [store.used_bytes(tier) for tier in (Tier.DEVICE, Tier.HOST)] == [0, 0]


async def at_rest(server: CallsheetServer, before: dict[str, int]) -> None:
    """Wait until no book is longer than it was before, by more than a few codes and kinds."""
    grown: object = "not looked at"
    try:
        async with asyncio.timeout(20):
            while grown:
                await asyncio.sleep(0.02)
                await server.mover.idle()
                await server.storage.flush()
                grown = {
                    path: length
                    for path, length in books(server, "server", set())
                    if length > before.get(path, 0) + 4 * (not path.endswith("_entries"))
                }
    except TimeoutError:
        raise AssertionError(f"books that grew: {grown}") from None


def books(owner: object, path: str, seen: set[int]) -> Iterator[tuple[str, int]]:
    """Count the entries of every collection in everything that a server is made of."""
    if id(owner) in seen:
        return
    seen.add(id(owner))
    names = [*getattr(owner, "__dict__", ()), *getattr(type(owner), "__slots__", ())]
    for name in names:
        value = getattr(owner, name, None)
        if isinstance(value, dict | list | set | deque):
            if name not in BOUNDED and getattr(value, "maxlen", None) is None:
                yield f"{path}.{name}", len(value)
        elif type(value).__module__.startswith(("callsheet_server", "callsheet_residency")):
            yield from books(value, f"{path}.{name}", seen)
        elif isinstance(value, Sized) and type(value).__module__ == "weakref":
            yield f"{path}.{name}", len(value)
