"""Folders that ``PYTHONPATH`` has to name in an SGLang process, so that it finds this very code."""

from __future__ import annotations

from pathlib import Path

__all__ = ["STUBS", "source_folders"]

_PACKAGE = Path(__file__).resolve().parent

STUBS = _PACKAGE / "stubs"
"""On CPU: modules that stand in for those that need CUDA."""


def source_folders() -> list[str]:
    """Return what a source checkout adds to ``PYTHONPATH``; nothing for an installed package.

    So a server run from a checkout starts an SGLang with the plugin of that very checkout.
    """
    root = _PACKAGE.parents[1]
    if not (root / "pyproject.toml").is_file():
        return []
    return [str(root / "server"), str(root / "sdk_python")]
