"""A game in C# from the first request to the save that is loaded after a restart.

The Unity layer plays in the stand-in player loop, on Mono, against a real server.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from engine.openai.endpoints import Endpoint
from unity.server import running_server
from unity.toolchain import HERE, PACKAGE, Toolchain
from walk_through import knowing, known, options, serving

pytestmark = [pytest.mark.mono, pytest.mark.timeout(240)]

OUTCOME = "Keeper has done open_gate (gate: north)"


@pytest.fixture
def game(toolchain: Toolchain) -> Path:
    """The program that plays a chapter of the game."""
    core = toolchain.core()
    stubs = toolchain.library("UnityEngine", [HERE / "stubs" / "UnityEngine"])
    layer = toolchain.library(
        "Callsheet", [PACKAGE / "Runtime" / "Unity"], ["Callsheet.Core", "UnityEngine"]
    )
    files = [HERE / "walk" / name for name in ("WalkThrough.cs", "RealTime.cs")]
    return toolchain.compile("WalkThrough.exe", files, [core, stubs, layer])


def play(game: Path, chapter: str, url: str) -> dict[str, str]:
    """What the NPC said to each question of a chapter."""
    process = subprocess.Popen(
        ["mono", str(game), chapter, url],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    said: dict[str, str] = {}
    try:
        for line in process.stdout:
            assert not line.startswith("FAILED"), line + process.stdout.read()
            if line.strip() == "passed":
                return said
            what, text = line.strip().split(": ", 1)
            said[what] = text
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    pytest.fail(f"the game ended early: {said}")


def test_a_secret_told_after_a_save_is_unknown_once_it_is_loaded(
    game: Path, tmp_path: Path
) -> None:
    endpoint = Endpoint(knowing("north gate", "heron", OUTCOME))
    with serving(endpoint):
        to_it = options(endpoint, tmp_path / "worlds")
        with running_server(tmp_path, sys.executable, to_it) as server:
            first = play(game, "first", server.url)
            server.kill()
            server.start()
            second = play(game, "second", server.url)
    before, after = known("north gate", OUTCOME), known("north gate", "heron", OUTCOME)
    assert first == {
        "begun": known("north gate"),
        "acted": before,
        "scene": before,
        "told": after,
        "secret": after,
        "loaded": before,
    }
    assert second == {
        "restarted": before,
        "told": after,
        "secret": after,
        "scene": after,
        "loaded": before,
        "forgotten": known(),
    }
