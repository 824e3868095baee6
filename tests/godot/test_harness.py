"""The harness itself: what passes in Godot passes here, and what fails there fails here."""

from __future__ import annotations

from pathlib import Path

import pytest
from godot.game import Godot, GodotError

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "checked.gd"


def checked(script: Path, body: str) -> Path:
    script.write_text(f"extends Checks\n\n\nfunc test_it() -> void:\n\t{body}\n", "utf-8")
    return script


def test_checks_that_hold_pass(godot: Godot, script: Path) -> None:
    version = 'equal(Engine.get_version_info().string, "4.6-stable (official)")'
    assert godot.check(checked(script, version)) == ["test_it"]


def test_arguments_and_waiting(godot: Godot, script: Path) -> None:
    waits = "await get_tree().process_frame\n\tequal(Array(OS.get_cmdline_user_args()), ['a'])"
    assert godot.check(checked(script, waits), "a") == ["test_it"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("check(1 > 2, 'one is not above two')", "FAILED test_it: one is not above two"),
        ("equal(1.0, 1)", "FAILED test_it: value is 1.0, not 1"),
        ("equal(1, 1", "Parse Error: Expected closing"),
        ("var a: int = 'text'", "Parse Error: Cannot assign"),
        ("push_error('told by the game')", "told by the game"),
    ],
)
def test_what_does_not_hold_fails(godot: Godot, script: Path, body: str, told: str) -> None:
    with pytest.raises(GodotError, match=told):
        godot.check(checked(script, body))


def test_a_script_without_a_test_fails(godot: Godot, script: Path) -> None:
    script.write_text("extends Checks\n", "utf-8")
    with pytest.raises(GodotError, match="no test"):
        godot.check(script)
