"""Editor parts: the plugin in a stand-in for it, the dock in a game."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from godot.game import ADDON, CHECKS, PICTURE, Godot
from godot.test_demo import keep
from unity.server import running_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

GAMES = Path(__file__).parent / "games"
STAND_IN = (
    ("extends EditorPlugin", "extends StandInEditor"),
    ("EditorInterface.", "StandInEditor."),
)
PROJECT = {"": CHECKS, "addons/callsheet/": ADDON}


def test_the_plugin_adds_the_autoload_and_the_dock(godot: Godot) -> None:
    plugin = (ADDON / "plugin.gd").read_text("utf-8")
    for editors, ours in STAND_IN:
        assert editors in plugin
        plugin = plugin.replace(editors, ours)
    extra = {
        "addons/callsheet/plugin.gd": plugin,
        "stand_in_editor.gd": (GAMES / "stand_in_editor.gd").read_text("utf-8"),
        "checked.gd": (GAMES / "plugin_checks.gd").read_text("utf-8"),
    }
    with godot.run(PROJECT, extra=extra) as game:
        game.wait_for("PASSED 2")


def test_the_dock_shows_live_npcs(godot: Godot, tmp_path: Path) -> None:
    options = ("--engine", "scripted", "--set", "storage.directory=")
    script = (GAMES / "dock_game.gd").read_text("utf-8")
    scene = (CHECKS / "main.tscn").read_text("utf-8").replace('type="Node"', 'type="Control"')
    with (
        running_server(tmp_path, sys.executable, options) as server,
        godot.run(
            PROJECT, server.url, extra={"checked.gd": script, "main.tscn": scene}, viewport=PICTURE
        ) as game,
    ):
        game.wait_for("ROWS 3")
        assert len(game.wait_for("REPLY")) > 0
        keep(game, "dock")


def used_by(script: Path, seen: set[Path], named: dict[str, Path]) -> Iterator[Path]:
    """The scripts that a script preloads or names, and those that these do."""
    if script in seen:
        return
    seen.add(script)
    yield script
    text = re.sub(r"#.*", "", script.read_text("utf-8"))
    for path in re.findall(r'(?:preload\(|^extends )"([^"]+\.gd)"', text, re.MULTILINE):
        yield from used_by((script.parent / path).resolve(), seen, named)
    for name in set(re.findall(r"\bCallsheet\w+", text)) & named.keys():
        yield from used_by(named[name], seen, named)


def test_all_that_runs_in_the_editor_is_a_tool() -> None:
    """Godot runs nothing of a script without ``@tool`` there, and says nothing."""
    scripts = list(ADDON.rglob("*.gd"))
    found = {
        s: re.search(r"^class_name (\w+)", s.read_text("utf-8"), re.MULTILINE) for s in scripts
    }
    named = {match[1]: script for script, match in found.items() if match}
    used = list(used_by(ADDON / "plugin.gd", set(), named))
    assert len(used) > 20
    assert [s.name for s in used if not s.read_text("utf-8").startswith("@tool\n")] == []
