"""Sizes of what is fetched or kept are the same, wherever they are told."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "run.py", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = sorted((ROOT / "server" / "callsheet_cli").glob("*.py"))
MODEL = re.compile(r"(?:the|small|real|default) model\b[^|\n]{0,20}?\b(\d+) MB")
ENVIRONMENT = re.compile(r"SGLang\b[^.|]*?\b(\d+) GB|setup-cpu[^.|]*?\b(\d+) GB")


def told(pattern: re.Pattern[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in (*PAGES, *COMMANDS):
        for match in pattern.finditer(path.read_text(encoding="utf-8")):
            size = next(filter(None, match.groups()))
            found.setdefault(size, set()).add(path.name)
    return found


def test_the_default_model_has_one_size() -> None:
    ((size, where),) = told(MODEL).items()
    assert size == "98"
    assert {"README.md", "demo.py", "models.py", "innkeeper-python.md"} <= where


def test_an_environment_with_sglang_has_one_size() -> None:
    ((size, where),) = told(ENVIRONMENT).items()
    assert size == "10"
    assert {"README.md", "sglang.md", "gpus.md"} <= where
