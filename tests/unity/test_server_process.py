"""A game on Mono that starts, watches and stops a real server, and takes it along when it dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from unity.toolchain import HERE, PACKAGE, ROOT, Toolchain

pytestmark = pytest.mark.mono

END_TIMEOUT_S = 30.0
SERVER = PACKAGE / "Runtime" / "Unity" / "Server"


@pytest.fixture
def game(toolchain: Toolchain) -> Path:
    if "ServerGame" not in toolchain.built:
        files = [HERE / "e2e" / "ServerGame.cs"]
        files += [SERVER / "ServerProcess.cs", SERVER / "ServerState.cs"]
        toolchain.built["ServerGame"] = toolchain.compile(
            "ServerGame.exe", files, [toolchain.core()]
        )
    return toolchain.built["ServerGame"]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The command ``callsheet`` of this source tree."""
    script = tmp_path / "callsheet"
    paths = os.pathsep.join((str(ROOT / "sdk_python"), str(ROOT / "server")))
    script.write_text(
        f'#!/bin/sh\nHOME={tmp_path} PYTHONPATH={paths} exec {sys.executable} -m callsheet "$@"\n'
    )
    script.chmod(0o755)
    return script


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def wait_until_gone(pid: int) -> None:
    deadline_s = time.monotonic() + END_TIMEOUT_S
    while is_alive(pid):
        assert time.monotonic() < deadline_s, f"{pid} outlives its game"
        time.sleep(0.05)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_server_ends_with_its_game(end: str, game: Path, program: Path) -> None:
    command = ["mono", str(game), str(program), "--engine scripted", end]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids, lines = [], []
        for line in process.stdout:
            assert not line.startswith("FAILED"), line
            lines.append(line.strip())
            if line.startswith("pid"):
                pids.append(int(line.split()[1]))
            if end == "kill" and len(pids) == 2:
                process.kill()
    assert "restarts 1" in lines
    assert ("stopped" in lines) == (end == "stop")
    for pid in pids:
        wait_until_gone(pid)
