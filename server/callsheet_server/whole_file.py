"""Files that are written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["partial_path", "whole_file", "write_whole"]


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Path to write to in place of ``path``, which it replaces when the block has ended.

    If the block raises, what it wrote is deleted and ``path`` is as it was. A pipe or a device has
    nothing to lose: it is written to as it is.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    partial = partial_path(path)
    try:
        yield partial
        partial.replace(path.resolve())
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_whole(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all. Raises ``OSError``."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def partial_path(path: Path) -> Path:
    """Name under which a file is written until it is whole; a symbolic link is followed."""
    path = path.resolve()
    return path.with_name(f"{path.name}.partial")
