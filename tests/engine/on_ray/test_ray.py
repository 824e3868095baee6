"""Replicas on Ray: its machines are processes here, SGLang is the fake."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from engine.fakes import Fake
from engine.harness import Talk
from ports import free_port
from programs import program
from waiting import until

from callsheet_server.engine.cluster.engine import ClusterEngine
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.engine.sglang.timing import Timing

FAKE = Path(__file__).parent.parent / "fake_sglang.py"
MACHINES = Path(__file__).with_name("machines.py")
pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]


class Machines:
    """Ray's machines, in a process of their own (``machines.py``)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def answer(self) -> str:
        assert self._process.stdout
        line = await self._process.stdout.readline()
        assert line, "Ray did not start"
        return line.decode().strip()

    async def order(self, words: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(f"{words}\n".encode())
        return await self.answer()

    async def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()


@pytest.fixture
async def machines(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Machines]:
    need_ray()
    async with program(
        str(MACHINES),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    ) as process:
        machines = Machines(process)
        monkeypatch.setenv("RAY_ADDRESS", await machines.answer())
        yield machines
        await machines.end()


def need_ray() -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed (pip install 'callsheet[ray]')")


@pytest.fixture
def up_options(tiny_model: Path, tmp_path: Path) -> list[str]:
    python = tmp_path / "fake-python"
    python.write_text(
        f'#!/bin/sh\nPYTHONPATH={os.pathsep.join(sys.path)} exec {sys.executable} {FAKE} "$@"\n'
    )
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return [
        *("--device", "cpu", "--model", str(tiny_model), "--set", f"sglang.python={python}"),
        *("--set", f"sglang.log_file={tmp_path / 'sglang.log'}"),
    ]


async def cluster_command(*words: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "callsheet", "cluster", *words],
        capture_output=True,
        text=True,
    )


async def places() -> dict[str, dict[str, Any]]:
    done = await cluster_command("status", "--ray", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def sglang_pid(place: dict[str, Any]) -> int:
    pid: int = Fake(place["url"]).seen()["pid"]
    return pid


async def test_actors_machines_and_the_head_are_killed(
    machines: Machines, up_options: list[str]
) -> None:
    first = await machines.order("add 2")
    refused = await cluster_command("up", "--replicas", "3", *up_options)
    assert "need a CPU each; Ray has 2 free" in refused.stderr
    done = await cluster_command("up", "--replicas", "2", *up_options)
    assert done.returncode == 0, done.stderr
    before = await places()
    assert list(before) == ["replica-0", "replica-1"]

    timing = Timing(health_interval_s=0.2, restart_min_s=0.05, warm_horizon_s=0.0)
    engine = await asyncio.to_thread(ClusterEngine, SglangSettings(urls=("ray",)), timing)
    await engine.start(lambda _: None)
    try:
        talk = Talk(engine)
        keys = [talk.npc(f"npc {number}") for number in range(6)]

        def states() -> list[str]:
            return [load.state for load in engine.occupancy().replicas]

        async def all_answer() -> None:
            await until(lambda: states() == ["serving", "serving"])
            for key in keys:
                assert (await talk.say(key)).startswith("well met")

        await all_answer()
        orphan = sglang_pid(before["replica-0"])
        os.kill(before["replica-0"]["pid"], signal.SIGKILL)
        await until(lambda: not psutil.pid_exists(orphan))
        await until(lambda: "lost" in states())
        await all_answer()

        orphans = [sglang_pid(place) for place in (await places()).values()]
        await machines.order("add 2")
        await machines.order(f"kill {first}")
        await until(lambda: not any(map(psutil.pid_exists, orphans)))
        await until(lambda: "lost" in states())
        await all_answer()

        orphans = [sglang_pid(place) for place in (await places()).values()]
        await machines.order("kill 0")
        await all_answer()
        await machines.end()
        await until(lambda: not any(map(psutil.pid_exists, orphans)))
    finally:
        await engine.close()


async def test_down_ends_replicas_and_their_sglang(
    machines: Machines, up_options: list[str]
) -> None:
    await machines.order("add 1")
    assert (await cluster_command("up", *up_options)).returncode == 0
    pid = sglang_pid((await places())["replica-0"])
    done = await cluster_command("down")
    assert "ended: replica-0" in done.stdout
    await until(lambda: not psutil.pid_exists(pid))
    assert await places() == {}


@pytest.mark.parametrize("words", [("status", "--ray"), ("down",), ("up",)])
async def test_a_ray_that_is_not_there_is_one_clear_line(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    need_ray()
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("RAY_ADDRESS", address)
    done = await cluster_command(*words)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"callsheet: no Ray answers at {address}; start one with")


async def test_a_server_without_its_ray_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    need_ray()
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("RAY_ADDRESS", address)
    done = await asyncio.to_thread(
        subprocess.run,
        [*(sys.executable, "-m", "callsheet", "serve", "--port", "0"),
         *("--engine", "sglang", "--url", "ray")],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert f"sglang.urls: no Ray answers at {address}" in done.stderr


def test_ray_and_other_urls_do_not_mix() -> None:
    with pytest.raises(ValueError, match="leave the other URLs out"):
        SglangSettings(urls=("ray", "http://gpu-1:30000"))
