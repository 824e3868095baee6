"""The film of the README is made by a command: a short one here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from page.conftest import CHROMIUM, ROOT
from PIL import Image

pytestmark = pytest.mark.browser


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
def test_a_film_of_two_frames_a_scene(tmp_path: Path) -> None:
    path = tmp_path / "demo.webp"
    script = ROOT / "docs" / "images" / "film.py"
    subprocess.run([sys.executable, script, path, "--frames", "2"], check=True, timeout=150)
    with Image.open(path) as film:
        assert (film.format, film.size) == ("WEBP", (800, 450))
        film.seek(5)
        with pytest.raises(EOFError):
            film.seek(6)


def test_the_film_of_the_readme_is_small_enough_to_load() -> None:
    assert (ROOT / "docs" / "images" / "demo.webp").stat().st_size < 2_500_000
