"""A game in Python from the first request to the save that is loaded after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest
from engine.openai.endpoints import Endpoint
from unity.server import Server
from walk_through import PLEASE, knowing, known, options

import callsheet
from callsheet import Client, NpcSpec, PlayerSpec
from callsheet.blocking import BlockingClient

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

WHAT = "What do you know?"
MORNING_S, EVENING_S = 8 * 3600.0, 20 * 3600.0


@callsheet.action
def open_gate(npc: str, gate: Literal["north", "south"]) -> str:
    """Open a gate of the town."""
    return f"the hinges of the {gate} gate need oil"


def keeper() -> NpcSpec:
    specs = callsheet.action_specs("keeper", open_gate)
    return NpcSpec(npc="keeper", name="Keeper", action_specs=specs)


class Game(Protocol):
    """A game with one NPC, over either client."""

    client: Any

    async def do(self, method: str, *arguments: object) -> Any:
        """Call a method of the client."""

    async def ask(self, text: str) -> str:
        """Words of the NPC to a line."""


class AsyncGame:
    def __init__(self, client: Client) -> None:
        self.client = client

    async def do(self, method: str, *arguments: object) -> Any:
        return await getattr(self.client, method)(*arguments)

    async def ask(self, text: str) -> str:
        return (await (await self.client.say("keeper", text, speaker="ann"))).text


class BlockingGame:
    def __init__(self, client: BlockingClient) -> None:
        self.client = client

    async def do(self, method: str, *arguments: object) -> Any:
        return await asyncio.to_thread(getattr(self.client, method), *arguments)

    async def ask(self, text: str) -> str:
        def say() -> str:
            return self.client.say("keeper", text, speaker="ann").end().text

        return await asyncio.to_thread(say)


@contextlib.asynccontextmanager
async def asyncio_game(url: str) -> AsyncIterator[Game]:
    async with callsheet.connect(url, role="game", world="town") as client:
        yield AsyncGame(client)


@contextlib.asynccontextmanager
async def blocking_game(url: str) -> AsyncIterator[Game]:
    client = callsheet.blocking.connect(url, role="game", world="town")
    await asyncio.to_thread(client.__enter__)
    try:
        yield BlockingGame(client)
    finally:
        await asyncio.to_thread(client.close)


async def enter(game: Game, players: bool = False) -> None:
    """Begin a scene: the NPC is there, and the time goes on."""
    ann = [PlayerSpec(player="ann", name="Ann")] if players else []
    spawned = await game.do("spawn", [keeper()], ann)
    handle = spawned.npcs["keeper"]
    await game.do("send_tick", game.client.game_clock.time_s, [handle], [[0.0, 0.0, 0.0]])


async def until_known(game: Game, said: str) -> None:
    """Ask until the NPC knows: the outcome of an action comes after the reply."""
    while await game.ask(WHAT) != said:
        pass


async def first_evening(game: Game) -> None:
    game.client.carry_out(open_gate)
    clock = game.client.game_clock
    clock.time_s = MORNING_S
    await enter(game, players=True)
    assert await game.ask(WHAT) == known()
    await game.ask(PLEASE)
    await until_known(game, known("hinges"))
    await game.do("despawn", ["keeper"])
    await enter(game)
    assert await game.ask(WHAT) == known("hinges"), "leaving is not dying"
    assert MORNING_S <= (await game.do("save", "evening")).time_s < EVENING_S
    await tell_and_load(game)


async def tell_and_load(game: Game) -> None:
    clock = game.client.game_clock
    clock.time_s = EVENING_S
    await game.do("despawn", ["keeper"])
    await enter(game)
    await game.ask("A secret: the heron is under the bridge.")
    assert await game.ask(WHAT) == known("hinges", "heron")
    loaded = await game.do("load", "evening")
    assert MORNING_S <= loaded.time_s <= clock.time_s < EVENING_S
    assert await game.ask(WHAT) == known("hinges")


async def second_evening(game: Game) -> None:
    game.client.carry_out(open_gate)
    await enter(game, players=True)
    assert await game.ask(WHAT) == known("hinges")
    assert [save.name for save in await game.do("list_saves")] == ["evening"]
    await tell_and_load(game)
    await game.do("forget")
    assert await game.ask(WHAT) == known()
    await game.do("load", "evening")
    assert await game.ask(WHAT) == known("hinges"), "a save holds what it held"
    await game.do("delete_save", "evening")
    assert await game.do("list_saves") == ()


@pytest.mark.parametrize("connect", [asyncio_game, blocking_game])
async def test_a_secret_told_after_a_save_is_unknown_once_it_is_loaded(
    connect: Callable[[str], AbstractAsyncContextManager[Game]], tmp_path: Path
) -> None:
    async with Endpoint(knowing("hinges", "heron")) as endpoint:
        server = Server(tmp_path, sys.executable, options(endpoint, tmp_path / "worlds"))
        try:
            await asyncio.to_thread(server.start)
            async with connect(server.url) as game:
                await first_evening(game)
                await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            async with connect(server.url) as game:
                await second_evening(game)
        finally:
            await asyncio.to_thread(server.kill)
