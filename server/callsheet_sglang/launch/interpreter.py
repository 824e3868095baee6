"""The interpreter that runs SGLang: on a GPU machine this one, on CPU that of its environment."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Literal

from callsheet._version import __version__
from callsheet_sglang_cpu.python_path import source_folders
from callsheet_sglang_cpu.venv import cpu_folder, python_in, read_stamp

__all__ = ["PYTHON_VARIABLE", "SglangMissingError", "find_python", "is_installed_here"]

PYTHON_VARIABLE = "CALLSHEET_SGLANG_PYTHON"
"""Environment variable: the interpreter of another environment that has SGLang."""


class SglangMissingError(Exception):
    """There is no SGLang to start; the text says what to do."""


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
