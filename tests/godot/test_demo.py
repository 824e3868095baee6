"""The demo, played with the keyboard: walk to the innkeeper, have the door opened, save, load."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from godot.game import ADDON, PICTURE, Game, Godot
from unity.server import running_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SDK = ADDON.parents[1]
REPORTER = Path(__file__).parent / "games" / "demo_reporter.gd"
PICTURES = SDK.parent / "test-output" / "godot"
AUTOLOAD = "[autoload]\n"
URL = "pixels_per_m ="


def test_the_innkeeper_opens_the_door_and_a_load_closes_it(godot: Godot, tmp_path: Path) -> None:
    project = (SDK / "project.godot").read_text("utf-8")
    settings = (SDK / "callsheet_settings.tres").read_text("utf-8")
    assert AUTOLOAD in project
    assert URL in settings
    extra = {
        "project.godot": project.replace(AUTOLOAD, f'{AUTOLOAD}Reporter="*res://reporter.gd"\n'),
        "reporter.gd": REPORTER.read_text("utf-8"),
    }
    worlds = ("--set", f"storage.directory={tmp_path / 'worlds'}")
    with running_server(tmp_path, sys.executable, ("--engine", "scripted", *worlds)) as server:
        address = f'server_url = "{server.url}"\n{URL}'
        extra["callsheet_settings.tres"] = settings.replace(URL, address)
        with godot.run({"": SDK}, extra=extra, viewport=PICTURE) as game:
            game.wait_for("help: Arrow keys")
            game.page.locator("canvas").click(position={"x": 480, "y": 300})
            walk_to(game, "Bram", "ArrowUp", "ArrowLeft")
            press(game, "k", "help: Saved")
            press(game, "Enter", "typing: true")
            game.page.keyboard.type("Please open the door.", delay=20)
            press(game, "Enter", "typing: false")
            assert len(game.wait_for("Bram says:")) > 0
            game.wait_for("door: true")
            keep(game, "demo")
            game.page.keyboard.down("ArrowRight")
            game.wait_for("player:")
            game.page.keyboard.up("ArrowRight")
            press(game, "l", "help: Loaded")
            game.wait_for("door: false")
            assert "typing: true" in game.lines


def walk_to(game: Game, name: str, *keys: str) -> None:
    for key in keys:
        game.page.keyboard.down(key)
    game.wait_for(f"near: {name}")
    for key in keys:
        game.page.keyboard.up(key)


def press(game: Game, key: str, expected: str) -> None:
    game.page.keyboard.press(key)
    game.wait_for(expected)


def keep(game: Game, name: str) -> None:
    """Keep a picture, for people."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    game.page.wait_for_timeout(1500)
    game.page.screenshot(path=PICTURES / f"{name}.png")
