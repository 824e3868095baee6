"""Every promise has a number of its own, and the tests that it names exist."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/guarantees.md").read_text(encoding="utf-8")


def test_numbers_are_not_used_twice() -> None:
    numbers = Counter(re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE))
    assert len(numbers) > 50
    assert [number for number, times in numbers.items() if times > 1] == []


def test_the_tests_it_names_exist() -> None:
    named = set(re.findall(r"`(?:[\w/]+/)?(test_\w+)(\.py)?`", TEXT))
    files = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    functions = set(
        re.findall(
            r"def (test_\w+)",
            "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")),
        )
    )
    missing = {
        name for name, py in named if (f"{name}.py" not in files if py else name not in functions)
    }
    assert sorted(missing) == []
