"""The C# compiler of the tests: fetched once, and only if it is the one that was pinned."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from unity.roslyn import fetch


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache on a machine that can run the compiler, and clients that bring other files."""

    def bring(command: list[str], cwd: Path, **_: Any) -> subprocess.CompletedProcess[str]:
        (cwd / ("a.tgz" if "pack" in command else "a.whl")).write_bytes(b"something else")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("CALLSHEET_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("shutil.which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr("subprocess.run", bring)
    return tmp_path


def test_files_with_other_checksums_leave_nothing_behind(cache: Path) -> None:
    with pytest.raises(fetch.FetchError, match="checksums"):
        fetch.fetch()
    assert list(cache.iterdir()) == []


def test_what_lies_in_the_cache_is_not_fetched_again() -> None:
    fetch.folder().mkdir()
    assert fetch.fetch() == fetch.folder()


def test_other_pins_have_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fetch.folder()
    monkeypatch.setattr(fetch, "SHA256", {".tgz": {"00"}})
    assert fetch.folder() != before


def test_without_npm_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda program: None)
    assert fetch.main() == 1
    assert "npm is not installed" in capsys.readouterr().err
