"""Cast files in C#: the file that Python writes, every field of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cast.town import WRONG, mirrored, write_town
from unity.toolchain import HERE, Toolchain, sources

pytestmark = pytest.mark.mono


@pytest.fixture(scope="module")
def mirror(toolchain: Toolchain) -> Path:
    core = toolchain.core()
    return toolchain.compile("CastMirror.exe", sources(HERE / "cast"), [core])


def test_every_field_is_read_as_python_reads_it(
    toolchain: Toolchain, mirror: Path, tmp_path: Path
) -> None:
    cast, file = write_town(tmp_path)
    assert json.loads(toolchain.run(mirror, str(file))) == mirrored(cast)


@pytest.mark.parametrize(("text", "wrong"), WRONG)
def test_what_is_wrong_is_told(
    toolchain: Toolchain, mirror: Path, tmp_path: Path, text: str, wrong: str
) -> None:
    file = tmp_path / "town.cast.json"
    file.write_text(text)
    assert wrong in json.loads(toolchain.run(mirror, str(file)))
