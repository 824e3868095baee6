"""A town of characters in many formats as one cast file, and files that are none."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cast.characters import CARD, MANTELLA, ODILA, SKYRIMNET, WORLD_INFO

from callsheet.cast import Cast, import_cast, write_cast

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
SPEC = ("npc", "name", "persona", "archetype", "sociability")
WRONG = [
    ("{", "is no JSON"),
    ("[]", "cast must be an object"),
    ('{"version": 1}', "This is no cast file"),
    ('{"format": "callsheet.cast", "version": 2}', "version 2; this reads up to 1"),
    (
        '{"format": "callsheet.cast", "version": 1, "npcs": [{}]}',
        "cast.npcs.0.npc must be a text",
    ),
    ('{"format": "callsheet.cast", "version": 1, "npcs": {}}', "cast.npcs must be a list"),
]
"""Text of a file, and a part of what is told of it."""


def write_town(folder: Path) -> tuple[Cast, Path]:
    """Import the characters; return the cast and its file."""
    source = folder / "characters"
    source.mkdir()
    for name, document in (("a", CARD), ("b", ODD), ("c", WORLD_INFO)):
        (source / f"{name}.json").write_text(json.dumps(document))
    (source / "sella_1A2").write_text(SKYRIMNET)
    (source / "npcs.csv").write_text(MANTELLA, encoding="utf-8", newline="")
    cast, _ = import_cast([source], archetypes=["harbour"])
    assert len(cast.npcs) == 6
    file = folder / "town.cast.json"
    file.write_bytes(write_cast(cast))
    return cast, file


def mirrored(cast: Cast) -> dict[str, Any]:
    """Every field of a cast as JSON has it, and its NPCs as ``spawn`` wants them."""
    specs = [{name: getattr(spec, name) for name in SPEC} for spec in cast.specs()]
    mirror: dict[str, Any] = json.loads(json.dumps({**asdict(cast), "specs": specs}))
    return mirror
