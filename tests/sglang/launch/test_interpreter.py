"""Finding the interpreter that has SGLang."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from callsheet import __version__
from callsheet_sglang.launch import interpreter
from callsheet_sglang.launch.interpreter import SglangMissingError, find_python
from callsheet_sglang_cpu.venv import SGLANG_VERSION, write_stamp


def make_python(folder: Path) -> Path:
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return python


def test_an_environment_counts_only_once_its_set_up_has_ended(venv_folder: Path) -> None:
    with pytest.raises(SglangMissingError, match="does not exist: callsheet sglang setup-cpu"):
        find_python("cpu")
    python = make_python(venv_folder)
    with pytest.raises(SglangMissingError, match="not set up to its end"):
        find_python("cpu")
    write_stamp(venv_folder, {"sglang": SGLANG_VERSION, "callsheet": "any"})
    assert find_python("cpu") == python


def test_another_interpreter_can_be_named(
    venv_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSHEET_SGLANG_PYTHON", sys.executable)
    assert find_python("cpu") == find_python("cuda") == Path(sys.executable)
    monkeypatch.setenv("CALLSHEET_SGLANG_PYTHON", "/nowhere/python")
    with pytest.raises(SglangMissingError, match="/nowhere/python is not an interpreter"):
        find_python("cpu")


def test_the_plugin_of_another_release_is_refused(
    venv_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_python(venv_folder)
    write_stamp(venv_folder, {"sglang": SGLANG_VERSION, "version": __version__})
    monkeypatch.setattr(interpreter, "source_folders", list)  # as if installed from a wheel
    monkeypatch.setattr(interpreter, "__version__", "0.0.2")
    with pytest.raises(SglangMissingError, match=f"callsheet {__version__}, and this is 0.0.2"):
        find_python("cpu")
