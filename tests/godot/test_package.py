"""The archive for the Asset Library: all it asks for, in one folder, of this version."""

from __future__ import annotations

import configparser
import re
import runpy
import zipfile
from pathlib import Path

import pytest
from godot.game import ADDON

import callsheet

SDK = ADDON.parents[1]
ROOT = SDK.parent
OF_THE_ASSET_LIBRARY = ("plugin.cfg", "LICENSE", "README.md")
CLASS = re.compile(r"^class_name (\w+)", re.MULTILINE)


@pytest.fixture
def archive(tmp_path: Path) -> zipfile.ZipFile:
    package = runpy.run_path(str(SDK / "tools" / "package.py"))
    package["write"](tmp_path / "callsheet.zip")
    with zipfile.ZipFile(tmp_path / "callsheet.zip") as packed:
        return packed


def test_all_lies_in_the_folder_of_the_addon(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    assert all(name.startswith("addons/callsheet/") for name in names)
    assert {f"addons/callsheet/{name}" for name in OF_THE_ASSET_LIBRARY} <= set(names)
    assert {Path(name).suffix for name in names} == {".cfg", ".gd", ".md", ".svg", ""}


def test_the_plugin_names_its_script_and_this_version() -> None:
    config = configparser.ConfigParser()
    config.read(ADDON / "plugin.cfg")
    plugin = {key: value.strip('"') for key, value in config["plugin"].items()}
    assert plugin.keys() == {"name", "description", "author", "version", "script"}
    assert plugin["version"] == callsheet.__version__
    assert (ADDON / plugin["script"]).is_file()


def test_the_licence_is_the_projects() -> None:
    assert (ADDON / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("script", sorted(SDK.rglob("*.gd")), ids=lambda p: p.stem)
def test_scripts_are_small_and_what_they_name_is_there(script: Path) -> None:
    text = script.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    for path in re.findall(r'(?:preload|@icon)\("([^"]+)"\)', text):
        base = SDK if path.startswith("res://") else script.parent
        assert (base / path.removeprefix("res://")).is_file(), path


def test_only_what_a_game_names_has_a_global_name() -> None:
    named = [CLASS.search(script.read_text("utf-8")) for script in ADDON.rglob("*.gd")]
    names = {match[1] for match in named if match}
    assert all(name.startswith("Callsheet") for name in names)
