"""The package's public surface is pinned: a change of it shows in a review.

To accept a change: PYTHONPATH=tests python tests/unity/test_public_api.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from unity.toolchain import HERE, PACKAGE, Toolchain

pytestmark = pytest.mark.mono

PINNED = HERE / "api" / "public_api.txt"


def public_api(toolchain: Toolchain) -> str:
    core = toolchain.core()
    stubs = toolchain.library("UnityEngine", [HERE / "stubs" / "UnityEngine"])
    assert stubs.is_file()
    unity = toolchain.library(
        "Callsheet", [PACKAGE / "Runtime" / "Unity"], ["Callsheet.Core", "UnityEngine"]
    )
    lister = toolchain.compile("PublicApi.exe", [HERE / "api" / "PublicApi.cs"])
    return toolchain.run(lister, str(core), str(unity))


def test_the_public_surface_is_the_pinned_one(toolchain: Toolchain) -> None:
    assert public_api(toolchain).splitlines() == PINNED.read_text("utf-8").splitlines()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PINNED.write_text(public_api(Toolchain(Path(folder))), encoding="utf-8")
