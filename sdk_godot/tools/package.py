"""Writes the archive of the addon for the Asset Library: python package.py FILE.zip."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

SDK = Path(__file__).parents[1]
DATE = (1980, 1, 1, 0, 0, 0)
"""The same files make the same archive."""


def write(archive: Path) -> None:
    """Pack the addon, and nothing that would lie beside a game's own files."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted((SDK / "addons").rglob("*")):
            if file.is_file():
                info = zipfile.ZipInfo(file.relative_to(SDK).as_posix(), DATE)
                packed.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
