"""run.py, the one command that sets everything up."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

RUN = Path(__file__).parent.parent / "run.py"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("run", RUN)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_old_python_can_parse_the_file_and_so_print_what_it_needs() -> None:
    tree = ast.parse(RUN.read_text(encoding="utf-8"), feature_version=(3, 7))
    modules = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert modules <= set(sys.stdlib_module_names)


def test_help_teaches_both_commands() -> None:
    result = subprocess.run([sys.executable, RUN, "--help"], capture_output=True, text=True)
    assert result.returncode == 0
    for text in ("run.py demo", "run.py test", "CALLSHEET_VENV"):
        assert text in result.stdout


@pytest.mark.parametrize(
    ("printed", "fix"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("Failing command: ensurepip is not available", "sudo apt install python3."),
        (
            "NewConnectionError: [Errno -3] Temporary failure in name resolution",
            "cannot be reached",
        ),
        ("socket.gaierror: [Errno 11001] getaddrinfo failed", "cannot be reached"),
        ("SSLError: CERTIFICATE_VERIFY_FAILED", "not trusted"),
        ("error: something new", "goes on from here"),
    ],
)
def test_a_failure_comes_with_its_fix(run: ModuleType, printed: str, fix: str) -> None:
    assert fix in run.fix_for(printed)


def test_a_failing_step_shows_what_was_printed(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "import sys; print('out'); sys.exit('getaddrinfo failed')"
    with pytest.raises(run.SetupError) as caught:
        run.step("a step", [sys.executable, "-c", code])
    text = str(caught.value)
    assert "status 1" in text
    assert "out\ngetaddrinfo failed" in text
    assert "cannot be reached" in text
    shown = capsys.readouterr().err
    assert "a step" in shown
    assert "failed after" in shown


def test_a_folder_that_is_no_virtual_environment_is_left_alone(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    monkeypatch.setenv("CALLSHEET_VENV", str(tmp_path))
    with pytest.raises(run.SetupError, match="not a virtual environment"):
        run.set_up("demo")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_half_made_environment_is_made_anew_and_a_sound_one_kept(
    run: ModuleType, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    venv.mkdir()
    (venv / "pyvenv.cfg").touch()  # what is left when the first step was stopped
    run.make_venv(venv, str(python))
    assert subprocess.run([python, "-c", "import pip"]).returncode == 0
    (venv / "kept").touch()
    run.make_venv(venv, str(python))
    assert (venv / "kept").exists()


def test_a_finished_set_up_is_not_repeated(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSHEET_VENV", str(tmp_path))
    monkeypatch.setattr(run, "step", lambda text, command: pytest.fail(text))
    python = tmp_path / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    python.parent.mkdir()
    python.touch()
    (tmp_path / "pyvenv.cfg").touch()
    (tmp_path / "callsheet-demo.stamp").write_text(run.stamp_key("demo"))
    assert run.set_up("demo") == str(python)


def test_a_full_disk_is_told_before_anything_is_made(run: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(run.SetupError, match="CALLSHEET_VENV"):
        run.check_disk(tmp_path / "venv", need_bytes=2**62)
    assert not (tmp_path / "venv").exists()


def test_what_leaks_into_a_virtual_environment_is_dropped(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "kept")
    environment = run.clean_environment()
    assert "PYTHONPATH" not in environment
    assert environment["PIP_INDEX_URL"] == "kept"


@pytest.mark.skipif(os.name == "nt", reason="run.py: the stand-in for nvidia-smi is a shell script")
@pytest.mark.parametrize(
    ("script", "found"), [("echo 'GPU 0: Test'", True), ("exit 9", False), ("echo none", False)]
)
def test_a_gpu_counts_only_if_the_driver_lists_it(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: bool
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert run.has_nvidia_gpu() is found


def test_the_exit_status_is_that_of_what_ran(run: ModuleType) -> None:
    assert run.run([sys.executable, "-c", "raise SystemExit(7)"]) == 7
