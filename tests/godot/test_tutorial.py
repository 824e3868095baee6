"""The tutorial's project, made of what the page says, against the server that the page starts."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from godot.game import ADDON, Godot
from unity.server import running_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

PAGE = ADDON.parents[2] / "docs" / "tutorials" / "innkeeper-godot.md"
BLOCK = re.compile(r"`(\w+\.(?:gd|tscn))`[^`]*```\w+\n(.*?)```", re.DOTALL)
PROJECT = """
config_version=5

[application]

run/main_scene="res://inn.tscn"

[autoload]

Callsheet="*res://addons/callsheet/nodes/callsheet_client.gd"
"""
SETTINGS = """
[gd_resource type="Resource" script_class="CallsheetSettings" load_steps=2 format=3]

[ext_resource type="Script" path="res://addons/callsheet/resources/callsheet_settings.gd" id="1"]

[resource]
script = ExtResource("1")
server_url = "{url}"
"""


def test_the_innkeeper_greets_and_opens_the_door(godot: Godot, tmp_path: Path) -> None:
    files = dict(BLOCK.findall(PAGE.read_text("utf-8")))
    assert files.keys() == {"inn.tscn", "inn.gd", "bram.gd"}
    worlds = ("--set", f"storage.directory={tmp_path / 'worlds'}")
    with running_server(tmp_path, sys.executable, ("--engine", "scripted", *worlds)) as server:
        settings = {"callsheet_settings.tres": SETTINGS.format(url=server.url).strip()}
        files |= {"project.godot": PROJECT, **settings}
        with godot.run({"addons/callsheet/": ADDON}, extra=files) as game:
            assert len(game.wait_for("Bram says:")) > 10
            game.wait_for("The door opens.")
            game.wait_for("Saved.")
