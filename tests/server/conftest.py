"""A whole server in this process, and what must hold of it after every test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from typing import Any

import pytest
from server.client import Client

from callsheet_server.app import start as app_start
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.engine.engine import Engine
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings, ScriptedTraits
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.residency.settings import ResidencySettings
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.talk import moderation as moderation_module
from callsheet_server.talk import recall as recall_module
from callsheet_server.talk.moderation import ModerationSettings
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.transport.settings import ServerSettings

TRAITS = {field.name for field in fields(ScriptedTraits)}

StartServer = Callable[..., Awaitable[CallsheetServer]]

PATIENT_SERVER: dict[str, Any] = {
    "port": 0,
    "drain_timeout_s": 0.0,
    "hello_timeout_s": 300.0,
    "heartbeat_interval_s": 300.0,
}
PATIENT_REPLIES = {"hear_timeout_s": 10.0}
"""The most the settings allow: clients and mods that a busy machine slows are waited for."""


def scripted(**settings: Any) -> ScriptedEngine:
    """An engine that answers at once unless told otherwise."""
    quick = {"token_delay_s": 0.0, "rebuild_s": 0.0}
    chosen = {**quick, **settings}
    traits = {name: chosen.pop(name) for name in TRAITS & chosen.keys()}
    return ScriptedEngine(ScriptedSettings(**chosen), ScriptedTraits(**traits))


async def settled(server: CallsheetServer) -> None:
    """Let what moves arrive, then check every owner of anything."""
    idle = False
    while not idle:
        await server.work.idle()
        await server.mover.idle()
        server.pipeline.step()
        await server.mover.idle()
        idle = all(map(server.work.is_ready, server.rooms))
    server.check_integrity()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine hooks and disks may take longer than a player should wait."""
    monkeypatch.setattr(recall_module, "RECALL_TIMEOUT_S", 60.0)
    monkeypatch.setattr(moderation_module, "HOOK_TIMEOUT_S", 60.0)


@pytest.fixture
async def start_server() -> AsyncIterator[StartServer]:
    """Starts servers; after the test each must be whole, and leave nothing behind when it stops."""
    before = asyncio.all_tasks()
    servers: list[CallsheetServer] = []

    async def start(
        engine: Engine | None = None,
        limits: dict[str, Any] | None = None,
        reply: dict[str, Any] | None = None,
        residency: dict[str, Any] | None = None,
        moderation: dict[str, Any] | None = None,
        storage: dict[str, Any] | None = None,
        **server: Any,
    ) -> CallsheetServer:
        settings = Settings(
            server=ServerSettings(**PATIENT_SERVER | server),
            limits=LimitSettings(**(limits or {})),
            reply=ReplySettings(**PATIENT_REPLIES | (reply or {})),
            residency=ResidencySettings(**(residency or {})),
            moderation=ModerationSettings(**(moderation or {})),
            storage=StorageSettings(**(storage or {})),
        )
        servers.append(await app_start.start_server(settings, engine or scripted()))
        return servers[-1]

    yield start
    async with contextlib.AsyncExitStack() as stack:
        for server in servers:
            stack.push_async_callback(server.close)
        for server in servers:
            await settled(server)
    for server in servers:
        server.conversations.check_integrity()
        server.engine.check_integrity()
    for _ in range(3):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks left behind: {left}"


@pytest.fixture
async def server(start_server: StartServer) -> CallsheetServer:
    return await start_server()


@pytest.fixture
async def game(server: CallsheetServer) -> AsyncIterator[Client]:
    """The game of world "town", with the NPC bob and the player ann."""
    async with Client(server.port) as client:
        spawned = await client.spawn("bob")
        await client.tick(
            [npc.handle for npc in spawned.npcs],
            [0.0, 0.0, 0.0],
            players=[player.handle for player in spawned.players],
            player_position_m=[1.0, 0.0, 0.0],
        )
        yield client


@pytest.fixture
async def bystander(server: CallsheetServer) -> AsyncIterator[Client]:
    """A second game in a world of its own; after the test it must be unharmed."""
    async with Client(server.port, world="village") as client:
        await client.spawn("eve")
        yield client
        end = await client.reply(await client.say("eve"))
        assert end.finish_reason == "stop"
        assert not any(m.type == "error" for m in client.received)
