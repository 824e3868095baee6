"""The addon's nodes, resources and editor parts, checked inside Godot."""

from __future__ import annotations

from pathlib import Path

import pytest
from godot.game import ADDON, CHECKS, Godot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "nodes").glob("*.gd"))
PLAYED = {"core/": HERE / "core"}
"""The server that tests play."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_checks(script: Path, godot: Godot) -> None:
    written = script.read_text("utf-8").count("\nfunc test_")
    assert len(godot.check(script, folders=PLAYED)) == written


def test_the_console_tells_which_side_to_upgrade(godot: Godot) -> None:
    script = (HERE / "games" / "versions.gd").read_text("utf-8")
    project = {"": CHECKS, "addons/callsheet/": ADDON, **PLAYED}
    versions = ("1.4", "1.5", "1.0", "0.9", "2.0")
    with godot.run(project, *versions, extra={"checked.gd": script}) as game:
        opens = [game.wait_for(f"{version}: open") for version in versions]
        game.wait_for("PASSED")
        warnings = [line for line in game.lines if "[Callsheet]" in line]
    assert opens == ["true", "true", "true", "false", "false"]
    told = [("1.0", "the server"), ("0.9", "the server"), ("2.0", "the Godot addon")]
    assert len(warnings) == len(told)
    for warning, (version, side) in zip(warnings, told, strict=True):
        assert f"protocol {version}" in warning
        assert f"upgrade {side}" in warning
