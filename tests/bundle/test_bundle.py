"""A bundle: built once, started in an empty environment, talked to, ended with its game.

The build takes a minute where the machine is free; CI does it once.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engine.tiny_gguf import write_tiny_gguf
from waiting import PATIENCE_S

import callsheet
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.tools.bundle.build import LEFT_OUT, Bundle, BundleError, build
from callsheet_server.tools.bundle.licences import licence_of, shipped
from callsheet_server.tools.bundle.measure import started

MAX_BYTES = 125_000_000
"""Without a model; 120 MB are aimed at, and were measured on Linux with Python 3.11."""
TOKEN = "a-token-of-the-game-alone"
PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(child.pid, child.stdout.readline(), flush=True)
child.wait()
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    if importlib.util.find_spec("PyInstaller") is None:
        pytest.skip('bundle: PyInstaller is not installed (pip install "callsheet[bundle]")')
    folder = tmp_path_factory.mktemp("bundle")
    model = folder / "tiny.gguf"
    write_tiny_gguf(model)
    return build(folder / "server", model)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ["scripted", "llamacpp"])
def test_it_runs_without_python_and_ends_with_its_input(
    bundle: Bundle, engine: str, tmp_path: Path
) -> None:
    with started(bundle, tmp_path, "--engine", engine, token=TOKEN) as (process, url):
        with callsheet.blocking.connect(url, role="game", world="inn", token=TOKEN) as game:
            assert game.welcome.engine.name == engine
            game.spawn([callsheet.NpcSpec(npc="bob", name="Bob", persona="An innkeeper.")])
            reply = game.say("bob", "Good day!", speaker=callsheet.Speaker(kind="narrator"))
            assert reply.end().finish_reason in ("stop", "length")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0
    assert any(tmp_path.rglob("worlds")), "the world is kept where the system wants it"


@pytest.mark.timeout(900)
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="bundle: the system has no pidfd")
def test_it_ends_when_the_game_is_killed(bundle: Bundle, tmp_path: Path) -> None:
    import select

    command = [str(bundle.program), "serve", "--child", "--engine", "llamacpp"]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *command],
        env={"HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as game:
        assert game.stdout is not None
        watch = os.pidfd_open(int(game.stdout.readline().split()[0]))
        game.send_signal(signal.SIGKILL)
    assert select.select([watch], [], [], PATIENCE_S)[0], "it outlives the game"
    os.close(watch)


@pytest.mark.timeout(900)
def test_its_size_and_its_licences(bundle: Bundle) -> None:
    if sys.platform == "linux":
        assert bundle.size_bytes() < MAX_BYTES
    told = (bundle.folder / "LICENCES.txt").read_text("utf-8")
    for package in shipped(LEFT_OUT):
        assert f"{package.name} {package.version}: {licence_of(package)}" in told
    assert "llama.cpp" in told
    assert "torch" not in told.splitlines()


def test_what_cannot_be_bundled_is_told(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(BundleError, match="is not empty"):
        build(tmp_path, None)
    (tmp_path / "m.gguf").write_bytes(b"nothing")
    with pytest.raises(EngineStartError, match="no GGUF"):
        build(tmp_path / "out", tmp_path / "m.gguf")
