"""Cast files in C#: the file that Python writes, every field of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cast.characters import CARD, MANTELLA, ODILA, SKYRIMNET, WORLD_INFO
from unity.toolchain import HERE, Toolchain, sources

from callsheet.cast import import_cast, write_cast

pytestmark = pytest.mark.mono
ODD: dict[str, Any] = {
    **ODILA,
    "name": "李白",
    "group_only_greetings": ["Both of you!"],
    "custom": {
        "deep": [1, 2.5, None, True, {"\u202e": "\ud83d\ude00"}],
        "tiny": 1e-7,
        "big": 2**53 - 1,
    },
}


@pytest.fixture(scope="module")
def mirror(toolchain: Toolchain) -> Path:
    core = toolchain.core()
    return toolchain.compile("CastMirror.exe", sources(HERE / "cast"), [core])


def test_every_field_is_read_as_python_reads_it(
    toolchain: Toolchain, mirror: Path, tmp_path: Path
) -> None:
    source = tmp_path / "characters"
    source.mkdir()
    for name, document in (("a", CARD), ("b", ODD), ("c", WORLD_INFO)):
        (source / f"{name}.json").write_text(json.dumps(document))
    (source / "sella_1A2").write_text(SKYRIMNET)
    (source / "npcs.csv").write_text(MANTELLA, encoding="utf-8", newline="")
    cast, _ = import_cast([source], archetypes=["harbour"])
    file = tmp_path / "town.cast.json"
    file.write_bytes(write_cast(cast))
    read = json.loads(toolchain.run(mirror, str(file)))
    specs = [
        {
            name: getattr(spec, name)
            for name in ("npc", "name", "persona", "archetype", "sociability")
        }
        for spec in cast.specs()
    ]
    assert len(cast.npcs) == 6
    assert read == json.loads(json.dumps({**asdict(cast), "specs": specs}))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{", "is no JSON"),
        ("[]", "cast must be an object"),
        ('{"version": 1}', "This is no cast file"),
        ('{"format": "callsheet.cast", "version": 2}', "version 2; this reads up to 1"),
        (
            '{"format": "callsheet.cast", "version": 1, "npcs": [{}]}',
            "cast.npcs.0.npc must be a text",
        ),
        ('{"format": "callsheet.cast", "version": 1, "npcs": {}}', "cast.npcs must be a list"),
    ],
)
def test_what_is_wrong_is_told(
    toolchain: Toolchain, mirror: Path, tmp_path: Path, text: str, wrong: str
) -> None:
    file = tmp_path / "town.cast.json"
    file.write_text(text)
    assert wrong in json.loads(toolchain.run(mirror, str(file)))
