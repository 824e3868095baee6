"""A user without a home folder, as containers have them."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from callsheet_cli import main
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models.cache import cache_dir
from callsheet_server.storage.settings import default_directory


@pytest.fixture(autouse=True)
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "CALLSHEET_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)

    def unknown(uid: int) -> object:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_a_folder_that_is_named_is_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = f"storage.directory={tmp_path}"
    assert main(["serve", "--list-settings", "--set", folder]) == 0
    assert str(tmp_path) in capsys.readouterr().out
    assert main(["world", "list", "--directory", str(tmp_path)]) == 0


def test_without_one_the_fix_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert default_directory() == ""
    assert main(["serve", "--engine", "scripted"]) == 1
    assert "set storage.directory to a folder" in capsys.readouterr().err
    with pytest.raises(EngineStartError, match="CALLSHEET_CACHE_DIR"):
        cache_dir()
