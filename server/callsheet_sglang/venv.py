"""Where SGLang is installed: next to this package on a GPU machine, apart from it for CPU mode.

SGLang pins its own torch and needs no GPU to be installed, but 11 GB of disk; its CPU environment
is kept outside any project, in the cache folder of this user.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path

from callsheet._version import __version__
from callsheet_sglang.launch import source_folders

__all__ = [
    "PYTHON_VARIABLE",
    "SGLANG_VERSION",
    "SglangMissingError",
    "cpu_folder",
    "find_python",
    "is_installed_here",
    "python_in",
    "read_stamp",
    "write_stamp",
]

SGLANG_VERSION = "0.5.23"
"""What the CPU environment gets: the newest version that the tests have passed with."""

PYTHON_VARIABLE = "CALLSHEET_SGLANG_PYTHON"
"""Environment variable: the interpreter of another environment that has SGLang."""

_STAMP = "callsheet-sglang.json"


class SglangMissingError(Exception):
    """There is no SGLang to start; the text says what to do."""


def cpu_folder() -> Path:
    """The virtual environment of CPU mode: under ``CALLSHEET_CACHE_DIR``, else the OS's cache."""
    chosen = os.environ.get("CALLSHEET_CACHE_DIR")
    cache = Path(chosen) if chosen else user_cache_path("callsheet", appauthor=False)
    return cache / f"sglang-{SGLANG_VERSION}-cpu"


def python_in(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / "bin" / "python"


def is_installed_here() -> bool:
    """True if this very environment has an SGLang."""
    try:
        metadata.version("sglang")
    except metadata.PackageNotFoundError:
        return False
    return True


def find_python(device: Literal["cpu", "cuda"]) -> Path:
    """Return the interpreter that runs SGLang on ``device``.

    ``CALLSHEET_SGLANG_PYTHON`` names it; else it is that of the CPU environment, or, on CUDA, the
    one running now.

    Raises:
        SglangMissingError: there is none, or its set-up did not end.
    """
    if chosen := os.environ.get(PYTHON_VARIABLE):
        if not os.access(chosen, os.X_OK):
            raise SglangMissingError(f"{PYTHON_VARIABLE}={chosen} is not an interpreter: mend it")
        return Path(chosen)
    if device == "cuda":
        if not is_installed_here():
            raise SglangMissingError(
                f'no SGLang next to {sys.executable}: pip install "callsheet[sglang]", or name '
                f"another environment's interpreter in {PYTHON_VARIABLE}"
            )
        return Path(sys.executable)
    folder = cpu_folder()
    stamp = read_stamp(folder)
    if not stamp:
        state = "is not set up to its end" if folder.exists() else "does not exist"
        raise SglangMissingError(f"{folder} {state}: callsheet sglang setup-cpu")
    if not source_folders() and stamp.get("version") != __version__:
        raise SglangMissingError(
            f"{folder} has the plugin of callsheet {stamp.get('version')}, and this is "
            f"{__version__}: callsheet sglang setup-cpu"
        )
    return python_in(folder)


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
