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
from callsheet_sglang_cpu import install
from callsheet_sglang_cpu.install import SetupError, _PipOutput, _Steps, own_requirement, set_up
from callsheet_sglang_cpu.venv import SGLANG_VERSION, python_in, read_stamp, write_stamp

ROOT = Path(__file__).parents[3]

Step = tuple[str, int, int, str]


def pretend_finished(folder: Path, callsheet: str) -> Path:
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    facts = {"sglang": SGLANG_VERSION, "callsheet": callsheet, "version": __version__}
    write_stamp(folder, facts)
    return python


def steps(folder: Path) -> tuple[_Steps, list[Step]]:
    reported: list[Step] = []
    return _Steps(folder, folder, lambda *step: reported.append(step)), reported


def test_a_finished_environment_is_not_touched(
    venv_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = pretend_finished(venv_folder, " ".join(own_requirement()))
    monkeypatch.setattr(_Steps, "_lines_of", lambda *_: pytest.fail("something was run"))
    set_up(venv_folder, lambda *step: None)
    assert python_in(venv_folder) == python


def test_another_callsheet_replaces_the_old_one_and_nothing_else(
    venv_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_finished(venv_folder, "callsheet==0.0.1")
    monkeypatch.setattr(install, "NEEDED_BYTES", 1)
    ran: list[str] = []
    monkeypatch.setattr(_Steps, "run", lambda self, label, *_: ran.append(label))
    monkeypatch.setattr(_Steps, "pip", lambda self, label, *_: ran.append(label))
    set_up(venv_folder, lambda *step: None)
    assert ran == ["Callsheet", "trial"]
    assert read_stamp(venv_folder)["callsheet"] == f"--editable {ROOT}"


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
    venv_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 1)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SetupError, match="environment: `/bin/false -m venv"):
        set_up(venv_folder, lambda *step: None)
    assert [path.suffix for path in venv_folder.parent.iterdir()] == [".lock"]


def test_a_full_disk_is_told_before_anything_is_made(
    venv_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 2**62)
    with pytest.raises(SetupError, match=r"GB are free .* CALLSHEET_CACHE_DIR"):
        set_up(venv_folder, lambda *step: None)
    assert list(venv_folder.parent.iterdir()) == []


def test_a_folder_of_another_kind_is_left_alone(
    venv_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 1)
    venv_folder.mkdir(parents=True)
    (venv_folder / "thesis.txt").write_text("mine")
    with pytest.raises(SetupError, match="not a virtual environment"):
        set_up(venv_folder, lambda *step: None)
    assert (venv_folder / "thesis.txt").read_text() == "mine"


def test_two_cannot_build_it_at_once(venv_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 1)
    with venv_folder.with_name(f"{venv_folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SetupError, match="another process"):
            set_up(venv_folder, lambda *step: None)


def test_only_linux_runs_sglang(venv_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SetupError, match="runs on Linux, and this is darwin"):
        set_up(venv_folder, lambda *step: None)


def test_downloads_add_up_and_installs_are_counted(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    (packages / "pip-1.dist-info").mkdir(parents=True)
    reported: list[Step] = []
    follow = _PipOutput("torch", tmp_path, lambda *step: reported.append(step))
    for line in ("Collecting torch", "Collecting sympy (from torch)", "", "Using cached it"):
        follow(line)
    assert reported.pop() == ("torch: look up", 2, 0, "packages")
    reported.clear()
    for line in ("Progress 0 of 10", "Progress 10 of 10", "Progress 0 of 7", "Progress 5 of 7"):
        follow(line + "\n")
    assert [done for _, done, _, _ in reported] == [0, 10, 10, 15]
    follow("Installing collected packages: sympy, torch\n")
    (packages / "sympy-1.dist-info").mkdir()
    follow("")
    assert reported[-1] == ("torch: install", 1, 2, "packages")
    follow.finish()
    assert reported[-1] == ("torch: install", 2, 2, "packages")


def test_a_step_returns_what_was_printed_and_a_failed_one_explains(tmp_path: Path) -> None:
    run, reported = steps(tmp_path)
    code = "import os; print('out'); print(os.environ['TMPDIR'])"
    assert run.run("a", [sys.executable, "-c", code]) == f"out\n{tmp_path}\n"
    assert reported == [("a", 0, 1, "steps"), ("a", 1, 1, "steps")]
    failing = "raise SystemExit('ERROR: No space left on device')"
    with pytest.raises(SetupError, match=r"b: `.*` failed:\n.*No space.*\nthe disk is full: "):
        run.run("b", [sys.executable, "-c", failing])


def test_nothing_of_this_environment_leaks_into_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("CALLSHEET_SGLANG", "1")  # would start the plugin's policy in the trial
    monkeypatch.setenv("PIP_INDEX_URL", "kept")
    code = (
        "import os; print(os.environ.get('PYTHONPATH'), os.environ.get('CALLSHEET_SGLANG'),"
        "os.environ['PIP_INDEX_URL'])"
    )
    assert steps(tmp_path)[0].run("a", [sys.executable, "-c", code]) == "None None kept\n"
    assert os.environ["PYTHONPATH"] == "elsewhere"
