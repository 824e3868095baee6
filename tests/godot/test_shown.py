"""GDScript that the documents show: Godot compiles it, with the addon's types."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from godot.game import ADDON, CHECKS, Godot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

DOCS = ADDON.parents[2] / "docs"
BLOCK = re.compile(r"^```gdscript\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AROUND = """extends Node

var npc: CallsheetNpc
var label: Label
var doors: Dictionary


"""
"""Code that the pages take for granted."""
CHECKED = """extends Checks


func test_scripts_compile() -> void:
	for path: String in %s:
		var script: GDScript = load("res://" + path)
		check(script != null and script.can_instantiate(), path)
"""
AUTOLOAD = '\n[autoload]\n\nCallsheet="*res://addons/callsheet/nodes/callsheet_client.gd"\n'


def script_of(code: str) -> str:
    """Make a whole script of a block: some are one, others stand in a class or a function."""
    if code.startswith("extends"):
        return code
    if code.startswith("func"):
        return AROUND + code
    return AROUND + "func shown() -> void:\n" + textwrap.indent(code, "\t")


def shown() -> dict[str, str]:
    pages: list[Path] = sorted(DOCS.rglob("*.md"))
    blocks = [code for page in pages for code in BLOCK.findall(page.read_text(encoding="utf-8"))]
    return {f"shown_{number}.gd": script_of(code) for number, code in enumerate(blocks)}


def test_gdscript_of_the_documents_compiles(godot: Godot) -> None:
    scripts = shown()
    assert len(scripts) > 4
    project = (CHECKS / "project.godot").read_text("utf-8") + AUTOLOAD
    checked = CHECKED % list(scripts)
    extra = {**scripts, "checked.gd": checked, "project.godot": project}
    with godot.run({"": CHECKS, "addons/callsheet/": ADDON}, extra=extra) as game:
        game.wait_for("PASSED")
