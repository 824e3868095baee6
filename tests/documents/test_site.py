"""The docs site: it is built without a broken link, and holds what it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.process
def test_the_site_is_built_without_a_broken_link() -> None:
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    reference = (ROOT / "site/reference/python/index.html").read_text(encoding="utf-8")
    for member in ("callsheet.Client.say", "callsheet.NpcSpec", "callsheet.BatchError"):
        assert f'id="{member}"' in reference
    assert (ROOT / "site/search.json").is_file() or list((ROOT / "site").rglob("search*.js*"))
