"""The programs that tests fetch: once, and only if they are those that were pinned."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import fetch_tools
import pytest
from pinned import FetchError, PinnedFiles

TOOLS = pytest.mark.parametrize("files", fetch_tools.TOOLS.values(), ids=fetch_tools.TOOLS)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and clients that bring other files."""

    def bring(command: list[str], cwd: Path, **_: Any) -> subprocess.CompletedProcess[str]:
        (cwd / ("a.tgz" if "pack" in command else "a.whl")).write_bytes(b"something else")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("CALLSHEET_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr("subprocess.run", bring)
    return tmp_path


@TOOLS
def test_files_with_other_checksums_leave_nothing_behind(files: PinnedFiles, cache: Path) -> None:
    with pytest.raises(FetchError, match="checksums"):
        files.fetch()
    assert list(cache.iterdir()) == []


@TOOLS
def test_what_lies_in_the_cache_is_not_fetched_again(files: PinnedFiles) -> None:
    files.folder().mkdir()
    assert files.fetch() == files.folder()


@TOOLS
def test_other_pins_have_another_folder(files: PinnedFiles) -> None:
    assert replace(files, sha256=frozenset({"00"})).folder() != files.folder()


def test_without_npm_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda program: None)
    assert fetch_tools.main() == 1
    printed = capsys.readouterr().err
    assert printed.count("npm is not installed") == len(fetch_tools.TOOLS)
