"""A server over a cluster: what clients, operators and Prometheus are told of the replicas."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
from engine.cluster.conftest import Box, StartBoxes, engine_of

import callsheet
from callsheet import NpcSpec
from callsheet.wire import ReplicaStats, Stats
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.transport.settings import ServerSettings


@asynccontextmanager
async def served(boxes: list[Box], **server: Any) -> AsyncIterator[CallsheetServer]:
    settings = Settings(server=ServerSettings(port=0, **server))
    async with running_server(settings, engine_of(boxes)) as running:
        yield running


async def command(*words: str) -> tuple[int, str, str]:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "callsheet", "cluster", *words],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


async def test_replicas_are_told_drained_and_measured(start_boxes: StartBoxes) -> None:
    boxes = await start_boxes(2)
    async with served(boxes) as server:
        url = f"ws://127.0.0.1:{server.port}"
        async with callsheet.connect(url, role="game", world="town") as game:
            assert game.welcome.engine.replicas == 2
            npcs = [NpcSpec(npc=f"n{i}", name=f"N{i}", persona="A baker.") for i in range(10)]
            handles = await game.spawn(npcs)
            positions = [[10.0 * i, 0.0, 0.0] for i in range(10)]
            await game.send_tick(1.0, list(handles.npcs.values()), positions)
            assert (await (await game.say("n0", "Good day."))).text
            await game.subscribe("stats", interval_s=0.1)
            replicas: Sequence[ReplicaStats] = ()
            async for stats in game.events(Stats):
                assert isinstance(stats, Stats)
                replicas = stats.replicas or ()
                if sum(replica.replies for replica in replicas) == 1:
                    break
            assert [replica.name for replica in replicas] == [box.name for box in boxes]
            assert sum(replica.npcs for replica in replicas) == 10
            assert {replica.state for replica in replicas} == {"serving"}

            code, out, _ = await command("status", "--url", url, "--json")
            assert code == 0
            assert [told["name"] for told in orjson.loads(out)] == [box.name for box in boxes]
            code, out, _ = await command("drain", boxes[0].name, "--url", url)
            assert (code, out.splitlines()[-1]) == (
                0,
                f"{boxes[0].name} is drained: it may be stopped",
            )
            assert (await (await game.say("n1", "Good day."))).text
            _, out, _ = await command("status", "--url", url)
            assert [line.split()[1] for line in out.splitlines()] == ["drained", "serving"]
            code, _, err = await command("drain", "nobody", "--url", url)
            assert code == 1
            assert "no replica 'nobody'" in err
            code, out, _ = await command("drain", boxes[0].name, "--undo", "--url", url)
            assert (code, out) == (0, f"{boxes[0].name} is in use again\n")
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{server.port}/metrics") as answer,
        ):
            metrics = await answer.text()
        assert f'callsheet_replica_up{{replica="{boxes[0].name}"}} 1.0' in metrics
        assert f'callsheet_replica_npcs{{replica="{boxes[1].name}"}}' in metrics


async def test_who_may_only_look_on_drains_nothing(start_boxes: StartBoxes) -> None:
    boxes = await start_boxes(2)
    async with served(boxes, observers_may_act=False) as server:
        url = f"ws://127.0.0.1:{server.port}"
        code, _, err = await command("drain", boxes[0].name, "--url", url)
        assert code == 1
        assert "observers may not drain a replica" in err
        code, out, _ = await command("drain", boxes[0].name, "--url", url, "--role", "game")
        assert (code, out.splitlines()[-1]) == (0, f"{boxes[0].name} is drained: it may be stopped")


async def test_an_engine_without_replicas_says_so() -> None:
    settings = Settings(server=ServerSettings(port=0))
    async with running_server(settings, ScriptedEngine()) as server:
        url = f"ws://127.0.0.1:{server.port}"
        for words in (("status",), ("drain", "x")):
            code, _, err = await command(*words, "--url", url)
            assert code == 1
            assert "has no replicas" in err
        async with callsheet.connect(url, role="observer", world="w") as observer:
            assert observer.welcome.engine.replicas is None
            with pytest.raises(callsheet.CallsheetError, match="no replicas"):
                await observer.drain_replica("x")
