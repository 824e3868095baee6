"""The addon in Godot against a real server: a crowd, talks, an action, a save, a killed server."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from engine.openai.endpoints import Endpoint, chunks
from godot.game import ADDON, CHECKS, Godot
from ports import free_port
from unity.server import running_server
from waiting import until
from walk_through import PLEASE, options, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
TALKERS = range(1, 20)
KNOWN = re.compile(r"fact-(\d+)|has done open_gate \(gate: (north)\)")


class Remembering:
    """Answers with the action asked for, or with all that stands in the prompt, and how often."""

    def __init__(self) -> None:
        self.has_time = threading.Event()
        """Set: a slow reply may end."""
        self._is_slow = False

    def __call__(self, body: dict[str, Any]) -> bytes:
        lines = [str(message["content"]) for message in body["messages"]]
        if "response_format" in body:
            wanted = any(PLEASE in line for line in lines[-3:-1])  # heard, said, this question
            _, open_gate = body["response_format"]["json_schema"]["schema"]["anyOf"]
            gates = open_gate["properties"]["arguments"]["properties"]["gate"]["enum"]
            choice = {"action": "open_gate", "arguments": {"gate": gates[0]}}
            return chunks(json.dumps(choice if wanted else {"action": "none"}))
        self._is_slow = "Speak slowly." in lines[-1]
        counted = Counter(a or b for line in lines for a, b in KNOWN.findall(line))
        return chunks(known(counted))

    async def before_end(self) -> None:
        """Hold a slow reply: its server dies first."""
        if self._is_slow:
            await until(self.has_time.is_set)


def known(counted: dict[str, int]) -> str:
    """Return the words of an NPC whose prompt holds these facts so often."""
    return f"I know {' and '.join(f'{fact} times {n}' for fact, n in counted.items()) or 'none'}."


def once(*facts: str) -> str:
    return known(dict.fromkeys(facts, 1))


def test_a_crowd_talks_acts_saves_and_survives_its_server(godot: Godot, tmp_path: Path) -> None:
    model = Remembering()
    endpoint = Endpoint(model)
    endpoint.before_end = model.before_end
    project = {"": CHECKS, "addons/callsheet/": ADDON}
    script = (HERE / "games" / "crowd.gd").read_text("utf-8")
    with serving(endpoint):
        to_it = options(endpoint, tmp_path / "worlds")
        with (
            running_server(tmp_path, sys.executable, to_it) as server,
            godot.run(project, server.url, extra={"checked.gd": script}) as game,
        ):
            assert game.wait_for("SPAWNED") == "1000"
            game.wait_for("TICKED")
            assert game.wait_for("told:") == once("1")
            assert game.wait_for("acted:") == once("1")
            assert game.wait_for("outcome:") == once("1", "north")
            assert game.wait_for("back:") == once("1", "north"), "it left the scene and forgot"
            assert game.wait_for("saved:") == "<null>"
            assert game.wait_for("secret:") == once("1", "north", "2")
            assert game.wait_for("known:") == once("1", "north", "2")
            assert game.wait_for("loaded:") == "<null>"
            assert game.wait_for("unknown:") == once("1", "north")
            assert game.wait_for("last:") == once("1", "north", "3")
            game.wait_for("SPEAKING")
            server.kill()
            model.has_time.set()
            server.start()
            assert game.wait_for("cut:") == "interrupted 1"
            assert game.wait_for("away:") == once("1", "100")
            assert game.wait_for("after:") == once("1", "north", "3")
            assert game.wait_for("talker 1:") == once("1", "100")
            for number in TALKERS[1:]:
                assert game.wait_for(f"talker {number}:") == once(str(number))
            game.wait_for("PASSED")


def test_without_a_server_the_game_runs_on_and_one_warning_tells_how_to_start_it(
    godot: Godot,
) -> None:
    script = (HERE / "games" / "alone.gd").read_text("utf-8")
    url = f"ws://127.0.0.1:{free_port()}/"
    with godot.run(
        {"": CHECKS, "addons/callsheet/": ADDON}, url, extra={"checked.gd": script}
    ) as game:
        game.wait_for("TRIED 3")
        game.wait_for("say: connection_failed")
        game.wait_for("PASSED")
        warnings = [line for line in game.lines if line.startswith("WARNING")]
    assert len(warnings) == 1
    assert f"callsheet serve --port {url.split(':')[2].strip('/')} " in warnings[0]
