"""A bounded run of the crash test; ``run.py`` runs hundreds of kills."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from crash.choir import WANTED
from crash.crash import crash
from ports import free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")


async def test_nothing_told_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    report = await crash(kills=25, seed=7, folder=tmp_path, port=free_port())
    assert report.kills == 25
    assert report.replies > 50
    assert report.interrupted > 0
    assert report.loads > 2
    assert report.saves_checked > 20
    assert set(WANTED) <= set(report.sung)
