"""The addon's nodes, resources and editor parts, checked inside Godot."""

from __future__ import annotations

from pathlib import Path

import pytest
from godot.game import Godot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SCRIPTS = sorted((Path(__file__).parent / "nodes").glob("*.gd"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_checks(script: Path, godot: Godot) -> None:
    written = script.read_text("utf-8").count("\nfunc test_")
    assert len(godot.check(script)) == written
