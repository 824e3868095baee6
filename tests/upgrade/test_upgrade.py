"""An old SDK with the new server, and the new SDK with an old server: as shipped, as processes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from programs import program
from websockets.asyncio.client import connect

from callsheet.wire import PROTOCOL

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHA256 = {
    "1.0": "8ac9f93fafb84b1b52236c9527853ab44b10cef7d6381f162a7f0ac4d5882cb2",
    "1.1": "dd11945136d96a59a71e53397ee480d2fc862a8a36d9cbab68f51d0072f62bc8",
    "1.2": "224d29b2e0f7c1b460fce40d3f1a4eb6b3c477439af8b2489f7481b178049ea0",
    "1.3": "b60120206bc2dd33028f779fb44634da14a50e3d3deb868ccddab140fff416a4",
}
"""Of the wheels, by the protocol that they speak."""
OLD = tuple(SHA256)
KEEPS_NOTHING = ("1.0", "1.1")
"""Servers that do not know ``storage.directory``."""

StartServer = Callable[[str], Awaitable[str]]


Run = Callable[..., AbstractAsyncContextManager[Process]]


def wheel_of(version: str) -> Path:
    """The one wheel of a version."""
    (wheel,) = (HERE / version).glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program with a version's packages."""
    sources = {PROTOCOL: [ROOT / "sdk_python", ROOT / "server"]}
    for version in OLD:
        folder = tmp_path_factory.mktemp(version)
        with ZipFile(wheel_of(version)) as wheel:
            wheel.extractall(folder)
        sources[version] = [folder]

    def run(version: str, *arguments: str) -> AbstractAsyncContextManager[Process]:
        paths = os.pathsep.join(map(str, (*sources[version], ROOT / "tests")))
        return program(
            *arguments,
            env=os.environ | {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"},
            stdout=asyncio.subprocess.PIPE,
        )

    return run


@pytest.fixture
async def server(running: Run, tmp_path: Path) -> AsyncIterator[StartServer]:
    processes: list[Process] = []

    async def serve(version: str) -> str:
        options = ["serve", "--engine", "scripted", "--port", "0"]
        if version not in KEEPS_NOTHING:
            options += ["--set", f"storage.directory={tmp_path}"]
        process = await stack.enter_async_context(running(version, "-m", "callsheet", *options))
        processes.append(process)
        assert process.stdout
        while "ws://" not in (line := (await process.stdout.readline()).decode()):
            assert line, f"the {version} server did not start"
        return "ws://" + line.partition("ws://")[2].split()[0].rstrip("/")

    async with AsyncExitStack() as stack:
        yield serve
        for process in processes:
            process.terminate()
            await process.communicate()
            assert process.returncode == 0


@pytest.mark.parametrize("version", OLD)
def test_an_old_version_is_the_one_that_was_released(version: str) -> None:
    assert hashlib.sha256(wheel_of(version).read_bytes()).hexdigest() == SHA256[version]


@pytest.mark.parametrize(
    ("client", "of"), [*((old, PROTOCOL) for old in OLD), *((PROTOCOL, old) for old in OLD)]
)
async def test_a_conversation_between_versions(
    server: StartServer, running: Run, client: str, of: str
) -> None:
    url = await server(of)
    async with running(client, str(HERE / "conversation.py"), url) as player:
        printed, _ = await player.communicate()
    assert player.returncode == 0
    told = json.loads(printed)
    expected: dict[str, Any] = {
        "client": client,
        "server": of,
        "speaks_for": ["bob"],
        "acked": True,
        "ends": ["stop", "stop"],
        "texts": [True, True],
        "resumed": True,
        "refusal": "unknown_npc",
        "observer": ["npc_states", "reply_end", "stats"],
    }
    assert {name: told[name] for name in expected} == expected
    assert {"proximity", "conversation"} <= set(told["explained"])
    assert {"heard", "player_near", "action_done"} <= set(told["mod"])


async def test_what_the_old_server_does_not_know_costs_no_session(server: StartServer) -> None:
    """A client that ignores the minor it was told of is refused by code, and goes on."""
    url = await server("1.0")
    hello = {"type": "hello", "protocol": PROTOCOL, "role": "observer", "world": "inn"}
    async with connect(url) as socket:
        await socket.send(json.dumps(hello | {"client": {"name": "tests", "version": "1"}}))
        assert json.loads(await socket.recv())["protocol"] == "1.0"
        await socket.send('{"type":"join","id":1,"name":"Ann","position":[0,0,0]}')
        assert json.loads(await socket.recv())["code"] == "unknown_type"
        await socket.send('{"type":"subscribe","id":2,"topics":[]}')
        assert json.loads(await socket.recv())["type"] == "ok"
