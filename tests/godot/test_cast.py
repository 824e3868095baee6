"""Cast files in Godot: every field of the file that Python writes, the facts on a real server."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cast.town import WRONG, mirrored, write_town
from godot.game import ADDON, CHECKS, HERE, Game, Godot
from unity.server import running_server

from callsheet.cast import Cast

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cast, Path]:
    """Write the files before there is a browser, whose event loop forbids that."""
    cast, file = write_town(tmp_path_factory.mktemp("town"))
    (file.parent / "wrong.json").write_text(json.dumps([text for text, _ in WRONG]))
    return cast, file.parent


def test_a_cast_is_read_as_python_reads_it_and_its_facts_reach_the_server(
    town: tuple[Cast, Path], godot: Godot, tmp_path: Path
) -> None:
    cast, folder = town
    project = {"": CHECKS, "addons/callsheet/": ADDON, "cast/": folder}
    script = (HERE / "games" / "cast_game.gd").read_text("utf-8")
    with (
        running_server(tmp_path, sys.executable) as server,
        godot.run(project, server.url, extra={"checked.gd": script}) as game,
    ):
        for _, wrong in WRONG:
            assert wrong in printed(game, "wrong:")
        assert printed(game, "read:") == mirrored(cast)
        facts = [printed(game, "facts:") for _ in cast.npcs]
        game.wait_for("PASSED")
    assert facts == [json.loads(json.dumps(npc.facts)) for npc in cast.npcs]
    assert any(facts)


def printed(game: Game, start: str) -> Any:
    """Read the JSON of the next line that begins so."""
    return json.loads(base64.b64decode(game.wait_for(start)))
