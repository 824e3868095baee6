"""The environment of CPU mode: where it is, and whether its set-up has ended.

SGLang pins its own torch and takes 10 GB of disk, so it is kept outside any project, in the cache
folder of this user.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from platformdirs import user_cache_path

__all__ = ["SGLANG_VERSION", "cpu_folder", "python_in", "read_stamp", "write_stamp"]

SGLANG_VERSION = "0.5.23"
"""The version in the CPU environment: the newest that the tests have passed with."""

_STAMP = "callsheet-sglang.json"


def cpu_folder() -> Path:
    """The virtual environment of CPU mode: under ``CALLSHEET_CACHE_DIR``, else the OS's cache."""
    chosen = os.environ.get("CALLSHEET_CACHE_DIR")
    cache = Path(chosen) if chosen else user_cache_path("callsheet", appauthor=False)
    return cache / f"sglang-{SGLANG_VERSION}-cpu"


def python_in(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / "bin" / "python"


def read_stamp(folder: Path) -> dict[str, str]:
    """Return what a finished set-up wrote down; empty if unfinished.

    Keys: ``sglang`` (version), ``callsheet`` (as asked of pip), ``version`` (of that callsheet).
    """
    try:
        stamp = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and python_in(folder).exists() else {}


def write_stamp(folder: Path, facts: dict[str, str]) -> None:
    """Say that the set-up of ``folder`` has ended."""
    (folder / _STAMP).write_text(json.dumps(facts, indent=1), encoding="utf-8")
