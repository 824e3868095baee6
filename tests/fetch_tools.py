"""Fetches programs that the tests run and Debian does not have: python tests/fetch_tools.py."""

from __future__ import annotations

import sys

from godot.files import GODOT
from pinned import FetchError
from unity.roslyn.files import ROSLYN

TOOLS = {"tests/unity/test_roslyn.py": ROSLYN, "tests/godot": GODOT}
"""Tests -> what they are skipped without."""


def main() -> int:
    """Fetch all, and say which tests will be skipped where that is not possible."""
    failed = 0
    for tests, files in TOOLS.items():
        try:
            files.fetch()
        except FetchError as error:
            sys.stderr.write(f"{tests} will be skipped: {error}\n")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
