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

from callsheet_cli.main import COMMANDS

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


def test_help_teaches_every_command() -> None:
    result = subprocess.run([sys.executable, RUN, "--help"], capture_output=True, text=True)
    assert result.returncode == 0
    for text in ("run.py demo", "run.py test", "run.py serve", "run.py mod run", "CALLSHEET_VENV"):
        assert text in result.stdout


def test_it_knows_every_command(run: ModuleType) -> None:
    names = tuple(command.__name__.rpartition(".")[2] for command in COMMANDS)
    assert names == run.COMMANDS
    assert run.EXTRAS.keys() <= {"test", *names}


@pytest.fixture
def ran(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record of commands in place of running them; the extras set up come first."""
    commands: list[list[str]] = []

    def set_up(extras: str) -> str:
        commands.append([extras])
        return "python"

    def pretend(command: list[str]) -> int:
        commands.append(command)
        return 3

    monkeypatch.setattr(run, "set_up", set_up)
    monkeypatch.setattr(run, "run", pretend)
    return commands


@pytest.mark.parametrize(
    ("arguments", "extras"),
    [
        (["serve", "--engine", "scripted"], "server"),
        (["serve", "--engine", "embedded"], "server,torch"),
        (["demo", "--set", "engine.name=sglang"], "server,torch"),
        (["mod", "run", "guard.py", "--help"], "server"),
        (["loadtest", "--fast"], "server,loadtest"),
        (["bench", "sglang"], "server,torch,bench"),
    ],
)
def test_any_command_is_passed_through(
    run: ModuleType,
    ran: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    extras: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", *arguments])
    monkeypatch.setattr(run.platform, "machine", lambda: dict(run.LLAMACPP)[sys.platform])
    assert run.main() == 3
    assert ran == [[extras], ["python", "-m", "callsheet", *arguments]]


def test_torch_is_set_up_where_llamacpp_has_no_wheel(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.platform, "machine", lambda: "riscv64")
    assert run.extras_for("demo", []) == "server,torch"
    assert run.extras_for("test", []) == "server,torch,dev"


def test_flags_of_the_tests_are_its_own_and_the_rest_is_pytests(
    run: ModuleType, ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "test", "-k", "planner", "--coverage", "-x"])
    assert run.main() == 1
    assert ran[0] == ["server,torch,dev"]
    assert ran[-1] == [
        "python", "-m", "pytest", "-k", "planner", "-x", "--cov", "--cov-report=term:skip-covered"
    ]  # fmt: skip


def test_fast_checks_run_beside_each_other_and_every_failure_is_named(
    run: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    def code(text: str) -> list[str]:
        return [sys.executable, "-c", text]

    quiet = {"good": code("print('fine')"), "bad": code("raise SystemExit('a fault')")}
    assert run.run_beside(quiet, "loud", code("raise SystemExit(1)")) == ["loud", "bad"]
    told = capfd.readouterr().err
    assert "run.py: good\nfine" in told
    assert "run.py: bad\na fault" in told


@pytest.mark.skipif(os.name == "nt", reason="run.py: other shells there")
@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("/bin/bash", "source '/a b/venv/bin/activate'"),
        ("/usr/bin/fish", "source '/a b/venv/bin/activate.fish'"),
        ("/bin/tcsh", "source '/a b/venv/bin/activate.csh'"),
        ("/bin/sh", ". '/a b/venv/bin/activate'"),
    ],
)
def test_it_says_where_the_command_lies(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, shell: str, words: str
) -> None:
    monkeypatch.setenv("SHELL", shell)
    told = run.where_it_lies(Path("/a b/venv"))
    assert "/a b/venv/bin/callsheet\n" in told
    assert words in told


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
        run.set_up("server")
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
    (tmp_path / "callsheet-server.stamp").write_text(run.stamp_key("server"))
    assert run.set_up("server") == str(python)


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
