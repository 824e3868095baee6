"""Paths of this repository that documents name: each leads to a file or a folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
_PATH = re.compile(
    r"(?<![\w/.])((?:docs|tests|loadtest|server|sdk_python|sdk_unity|examples)/[\w./~-]*\w)"
)
_PLACEHOLDER = re.compile(r"(?<![A-Z])(?:NAME|TYPE)(?![A-Z])")
"""Stands for a name that the reader chooses."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_in_a_document_exists(document: Path) -> None:
    named = set(_PATH.findall(document.read_text(encoding="utf-8")))
    missing = [p for p in named if not _PLACEHOLDER.search(p) and not (ROOT / p).exists()]
    assert not sorted(missing)


def test_paths_are_found_in_documents() -> None:
    assert _PATH.findall("Run `loadtest/bench/dialogue.py` (docs/mods.md).") == [
        "loadtest/bench/dialogue.py",
        "docs/mods.md",
    ]
