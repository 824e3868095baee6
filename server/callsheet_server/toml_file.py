"""TOML files as people write them: with the marks that editors leave, and Windows paths."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

__all__ = ["TomlError", "read_toml"]


class TomlError(ValueError):
    """A file is not TOML. Its text may quote the file, which may hold a secret."""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file; a byte order mark at its beginning, as Windows editors write it, is left out.

    Raises:
        TomlError: it is not TOML; says where, and how Windows paths are written.
        OSError: it cannot be read.
    """
    try:
        text = path.read_text("utf-8-sig")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise TomlError(f"not UTF-8 text (at byte {error.start}): save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        hint = ""
        if "\\" in text and ("hex value" in str(error) or "escape" in str(error)):
            hint = "; in double quotes a backslash has to be doubled: write paths in single quotes"
        raise TomlError(f"not valid TOML: {error}{hint}") from None
