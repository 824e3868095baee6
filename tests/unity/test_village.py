"""The sample Village, played on Mono against a real server that answers without a model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from unity.samples import LEGACY, VILLAGE
from unity.server import WITHOUT_MODEL, running_server
from unity.toolchain import HERE, PACKAGE, Toolchain

pytestmark = [pytest.mark.mono, pytest.mark.timeout(120)]


def test_villagers_answer_talk_with_each_other_and_are_saved(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    references = [
        toolchain.core(),
        toolchain.library("UnityEngine", [HERE / "stubs" / "UnityEngine"]),
        toolchain.library(
            "Callsheet", [PACKAGE / "Runtime" / "Unity"], ["Callsheet.Core", "UnityEngine"]
        ),
    ]
    files = [HERE / "walk" / "VillagePlay.cs", HERE / "walk" / "RealTime.cs", *VILLAGE]
    game = toolchain.compile("VillagePlay.exe", files, references, LEGACY)
    options = (*WITHOUT_MODEL, "--set", f"storage.directory={tmp_path / 'worlds'}")
    with running_server(tmp_path, sys.executable, options) as server:
        printed = toolchain.run(game, server.url, str(VILLAGE[0].parent))
    assert printed.splitlines() == [
        "Ida answers",
        "Ida and Bram talk",
        "saved, loaded, deleted",
        "passed",
    ]
