"""The sample Village, played on Mono against a real server that answers without a model."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest
from unity.samples import LEGACY, VILLAGE
from unity.server import WITHOUT_MODEL, running_server
from unity.toolchain import HERE, PACKAGE, Toolchain

from callsheet_server.storage.folder import Folder
from callsheet_server.storage.portable import open_world

pytestmark = [pytest.mark.mono, pytest.mark.timeout(120)]


def test_villagers_answer_talk_with_each_other_walk_where_they_are_asked_to_and_are_saved(
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
    worlds = tmp_path / "worlds"
    options = (*WITHOUT_MODEL, "--set", f"storage.directory={worlds}")
    with running_server(tmp_path, sys.executable, options) as server:
        printed = toolchain.run(game, server.url, str(VILLAGE[0].parent))
    assert printed.splitlines() == [
        "Ida answers",
        "Ida and Bram talk",
        "Ida walks to the well",
        "saved, loaded, deleted",
        "passed",
    ]
    with closing(open_world(Folder(worlds), "default")) as world:
        remembered = [turn.text for turn in world.latest_turns("ida", 100)]
    assert "Please walk to the well." in remembered
    assert "Ida has done walk_to (place: well)." in remembered
