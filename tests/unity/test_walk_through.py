"""A game in C# from the first request to the save that is loaded after a restart.

The Unity layer plays in the stand-in player loop, on Mono, against a real server. Its engine is an
endpoint that says which of the facts it knows stand in the prompt: what the NPC remembers.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from engine.openai.endpoints import Endpoint, chunks
from unity.server import running_server
from unity.toolchain import HERE, PACKAGE, Toolchain

pytestmark = [pytest.mark.mono, pytest.mark.timeout(240)]

FACTS = ("north gate", "heron", "Keeper has done open_gate (gate: north)")


def answer(body: dict[str, Any]) -> bytes:
    """The action asked for, or the facts that the prompt holds."""
    prompt = "\n".join(str(message["content"]) for message in body["messages"])
    if "response_format" in body:
        wanted = "Please open the north gate." in prompt.split("After these words")[-2][-200:]
        _, open_gate = body["response_format"]["json_schema"]["schema"]["anyOf"]
        gates = open_gate["properties"]["arguments"]["properties"]["gate"]["enum"]
        choice = {"action": "open_gate", "arguments": {"gate": gates[0]}}
        return chunks(json.dumps(choice if wanted else {"action": "none"}))
    known = [fact for fact in FACTS if fact in prompt]
    return chunks(f"I know {' and '.join(known) or 'nothing'}.")


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[None]:
    """The endpoint, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(endpoint.__aenter__(), loop).result()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(endpoint.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def game(toolchain: Toolchain) -> Path:
    """The program that plays a chapter of the game."""
    core = toolchain.core()
    stubs = toolchain.library("UnityEngine", [HERE / "stubs" / "UnityEngine"])
    layer = toolchain.library(
        "Callsheet", [PACKAGE / "Runtime" / "Unity"], ["Callsheet.Core", "UnityEngine"]
    )
    source = HERE / "walk" / "WalkThrough.cs"
    return toolchain.compile("WalkThrough.exe", [source], [core, stubs, layer])


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
    endpoint = Endpoint(answer)
    with serving(endpoint):
        options = (
            *("--engine", "openai", "--set", f"openai.url={endpoint.url}"),
            *("--set", "reply.actions=always"),
            *("--set", f"storage.directory={tmp_path / 'worlds'}"),
        )
        with running_server(tmp_path, sys.executable, options) as server:
            first = play(game, "first", server.url)
            server.kill()
            server.start()
            second = play(game, "second", server.url)
    before = f"I know north gate and {FACTS[2]}."
    after = f"I know {' and '.join(FACTS)}."
    assert first == {
        "begun": "I know north gate.",
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
        "forgotten": "I know nothing.",
    }
