"""Building the CPU environment, short of the minutes it takes."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from importlib import metadata
from pathlib import Path

import pytest

from callsheet import __version__
from callsheet_server.engine.engine import Progress
from callsheet_sglang import install, venv
from callsheet_sglang.install import SetupError, _PipOutput, _Steps, own_requirement, set_up
from callsheet_sglang.venv import (
    SGLANG_VERSION,
    SglangMissingError,
    cpu_folder,
    find_python,
    read_stamp,
    write_stamp,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the environment goes; nothing is there yet."""
    monkeypatch.setenv("CALLSHEET_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("CALLSHEET_SGLANG_PYTHON", raising=False)
    return cpu_folder()


def pretend_finished(folder: Path, callsheet: str) -> Path:
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    facts = {"sglang": SGLANG_VERSION, "callsheet": callsheet, "version": __version__}
    write_stamp(folder, facts)
    return python


def steps(folder: Path) -> tuple[_Steps, list[Progress]]:
    reported: list[Progress] = []
    return _Steps(folder, folder, reported.append), reported


def test_an_environment_counts_only_once_its_set_up_has_ended(folder: Path) -> None:
    with pytest.raises(SglangMissingError, match="does not exist: callsheet sglang setup-cpu"):
        find_python("cpu")
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    with pytest.raises(SglangMissingError, match="not set up to its end"):
        find_python("cpu")
    write_stamp(folder, {"sglang": SGLANG_VERSION, "callsheet": "any"})
    assert find_python("cpu") == folder / "bin" / "python"


def test_another_interpreter_can_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSHEET_SGLANG_PYTHON", sys.executable)
    assert find_python("cpu") == find_python("cuda") == Path(sys.executable)
    monkeypatch.setenv("CALLSHEET_SGLANG_PYTHON", "/nowhere/python")
    with pytest.raises(SglangMissingError, match="/nowhere/python is not an interpreter"):
        find_python("cpu")


def test_a_finished_environment_is_not_touched(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = pretend_finished(folder, " ".join(own_requirement()))
    monkeypatch.setattr(_Steps, "_lines_of", lambda *_: pytest.fail("something was run"))
    set_up(folder, lambda progress: None)
    assert find_python("cpu") == python


def test_another_callsheet_replaces_the_old_one_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_finished(folder, "callsheet==0.0.1")
    monkeypatch.setattr(install, "NEEDED_BYTES", 1)
    ran: list[str] = []
    monkeypatch.setattr(_Steps, "run", lambda self, label, *_: ran.append(label))
    monkeypatch.setattr(_Steps, "pip", lambda self, label, *_: ran.append(label))
    set_up(folder, lambda progress: None)
    assert ran == ["Callsheet", "trial"]
    assert read_stamp(folder)["callsheet"] == f"--editable {ROOT}"


def test_the_plugin_of_another_release_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_finished(folder, "callsheet==0.0.1")
    monkeypatch.setattr(venv, "source_folders", list)  # as if installed from a wheel
    monkeypatch.setattr(venv, "__version__", "0.0.2")
    with pytest.raises(SglangMissingError, match=f"callsheet {__version__}, and this is 0.0.2"):
        find_python("cpu")


@pytest.mark.parametrize(
    ("direct_url", "requirement"),
    [
        (None, f"callsheet=={__version__}"),
        ({"url": "file:///w/callsheet.whl", "archive_info": {}}, "file:///w/callsheet.whl"),
        (
            {"url": "https://h/c", "vcs_info": {"vcs": "git", "commit_id": "1f"}},
            "git+https://h/c@1f",
        ),
    ],
)
def test_an_installed_callsheet_asks_for_itself(
    monkeypatch: pytest.MonkeyPatch, direct_url: object, requirement: str
) -> None:
    class Installed:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return None if direct_url is None else json.dumps(direct_url)

    monkeypatch.setattr(install, "source_folders", list)
    monkeypatch.setattr(metadata, "distribution", lambda name: Installed())
    assert own_requirement() == [requirement]


def test_a_failed_step_leaves_no_stamp_and_no_scratch(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 1)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SetupError, match="environment: `/bin/false -m venv"):
        set_up(folder, lambda progress: None)
    assert [path.suffix for path in folder.parent.iterdir()] == [".lock"]


def test_a_full_disk_is_told_before_anything_is_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 2**62)
    with pytest.raises(SetupError, match=r"GB are free .* CALLSHEET_CACHE_DIR"):
        set_up(folder, lambda progress: None)
    assert list(folder.parent.iterdir()) == []


def test_a_folder_of_another_kind_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 1)
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(SetupError, match="not a virtual environment"):
        set_up(folder, lambda progress: None)
    assert (folder / "thesis.txt").read_text() == "mine"


def test_two_cannot_build_it_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 1)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SetupError, match="another process"):
            set_up(folder, lambda progress: None)


def test_only_linux_runs_sglang(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SetupError, match="runs on Linux, and this is darwin"):
        set_up(folder, lambda progress: None)


def test_downloads_add_up_and_installs_are_counted(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    (packages / "pip-1.dist-info").mkdir(parents=True)
    reported: list[Progress] = []
    follow = _PipOutput("torch", tmp_path, reported.append)
    for line in ("Collecting torch", "Collecting sympy (from torch)", "", "Using cached it"):
        follow(line)
    assert reported.pop() == Progress("torch: look up", 2, 0, "packages")
    reported.clear()
    for line in ("Progress 0 of 10", "Progress 10 of 10", "Progress 0 of 7", "Progress 5 of 7"):
        follow(line + "\n")
    assert [progress.done for progress in reported] == [0, 10, 10, 15]
    follow("Installing collected packages: sympy, torch\n")
    (packages / "sympy-1.dist-info").mkdir()
    follow("")
    assert reported[-1] == Progress("torch: install", 1, 2, "packages")
    follow.finish()
    assert reported[-1] == Progress("torch: install", 2, 2, "packages")


def test_a_step_returns_what_was_printed_and_a_failed_one_explains(tmp_path: Path) -> None:
    run, reported = steps(tmp_path)
    code = "import os; print('out'); print(os.environ['TMPDIR'])"
    assert run.run("a", [sys.executable, "-c", code]) == f"out\n{tmp_path}\n"
    assert reported == [Progress("a", 0, 1, "steps"), Progress("a", 1, 1, "steps")]
    failing = "raise SystemExit('ERROR: No space left on device')"
    with pytest.raises(SetupError, match=r"b: `.*` failed:\n.*No space.*\nthe disk is full: "):
        run.run("b", [sys.executable, "-c", failing])


def test_nothing_of_this_environment_leaks_into_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "kept")
    code = "import os; print(os.environ.get('PYTHONPATH'), os.environ['PIP_INDEX_URL'])"
    assert steps(tmp_path)[0].run("a", [sys.executable, "-c", code]) == "None kept\n"
    assert os.environ["PYTHONPATH"] == "elsewhere"
