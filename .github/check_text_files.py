"""Check text files: they end with one line end, and YAML, TOML and JSON can be parsed.

Usage: check_text_files.py FILE...
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import yaml

PARSERS = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}
"""Suffix -> a function that takes the text and raises what a `ValueError` or `YAMLError` is."""


def faults(path: Path) -> Iterable[str]:
    """Yield what is wrong with a file."""
    text = path.read_bytes().decode("utf-8", errors="replace")
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield "does not end with exactly one line end"
    parse = PARSERS.get(path.suffix)
    if parse is not None:
        try:
            parse(text)
        except (ValueError, yaml.YAMLError) as error:
            yield f"cannot be parsed: {error}"


def main(names: list[str]) -> int:
    """Print what is wrong with the files; return 1 if anything is."""
    found = [f"{name}: {fault}" for name in names for fault in faults(Path(name))]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
