"""``callsheet serve --child``: the server as a game starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.command import environment
from waiting import PATIENCE_S

import callsheet
from callsheet_cli.bundled import prepared

TOKEN = "a-token-of-the-game-alone"
SERVE = [sys.executable, "-m", "callsheet", "serve", "--child", "--engine", "scripted"]
PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(child.pid, child.stdout.readline(), flush=True)
child.wait()
"""
"""A game that starts the server and is killed."""


def test_it_tells_its_url_wants_its_token_and_ends_with_its_input() -> None:
    env = environment() | {"CALLSHEET_SERVER__GAME_TOKEN": TOKEN}
    with subprocess.Popen(
        SERVE, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        url = json.loads(server.stdout.readline())["url"]
        with (
            pytest.raises(callsheet.AuthError),
            callsheet.blocking.connect(url, role="game", world="town", token="no") as game,
        ):
            game.welcome  # noqa: B018
        with callsheet.blocking.connect(url, role="game", world="town", token=TOKEN) as game:
            assert game.welcome.engine.name == "scripted"
        server.stdin.close()
        assert server.wait(PATIENCE_S) == 0


@pytest.mark.skipif(os.name == "nt", reason="kill: Windows has no SIGKILL")
def test_it_ends_when_the_game_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *SERVE],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as game:
        assert game.stdout is not None
        pid = int(game.stdout.readline().split()[0])
        watch = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        game.send_signal(signal.SIGKILL)
    if watch is None:
        pytest.skip("this system cannot wait for a process of another: pidfd")
    import select

    assert select.select([watch], [], [], PATIENCE_S)[0], "it outlives the game"
    os.close(watch)


def test_a_bundle_runs_the_model_and_the_settings_beside_it(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    assert prepared(tmp_path, ["serve", "--child"], environment) == ["serve", "--child"]
    assert environment == {}
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.gguf").touch()
    (tmp_path / "callsheet.toml").touch()
    settings = str(tmp_path / "callsheet.toml")
    assert prepared(tmp_path, ["serve", "--child"], environment) == [
        *("serve", "--config", settings, "--child")
    ]
    assert environment == {"CALLSHEET_EMBEDDED__MODEL": str(tmp_path / "models" / "m.gguf")}
    assert prepared(tmp_path, ["doctor"], environment) == ["doctor"]
