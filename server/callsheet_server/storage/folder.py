"""The folder of the worlds' databases: file names, and the lock of whoever uses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from filelock import FileLock, Timeout

from callsheet_server.storage.errors import FolderInUseError, StorageError

__all__ = ["Folder"]

SUFFIX = ".sqlite3"
PREFIX = "world-"
SIDE_FILES = ("", "-wal", "-shm")


class Folder:
    """Names only; nothing is opened but the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / "callsheet.lock", thread_local=False)

    def claim(self) -> None:
        """Make the folder, and keep other servers and writing commands out of it.

        Raises:
            FolderInUseError: somebody else is in.
            StorageError: the folder cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise FolderInUseError(
                f"{self.path}: a server is using this folder: stop it first, or choose another "
                f"folder with --set storage.directory=FOLDER"
            ) from None
        except OSError as error:
            raise StorageError(
                f"storage.directory {self.path}: cannot be used: {error.strerror}; choose "
                f"another, or keep nothing with --set storage.directory="
            ) from None

    def release(self) -> None:
        """Let others in. May be called twice."""
        self._lock.release()

    def file(self, world: str) -> Path:
        """The database of a world. Capitals are written as %xx: some systems ignore case."""
        quoted = re.sub(r"[^a-z0-9_-]", lambda found: f"%{ord(found[0]):02x}", world)
        return self.path / f"{PREFIX}{quoted}{SUFFIX}"

    def worlds(self) -> Iterator[str]:
        """Those that have a database, by name."""
        for path in sorted(self.path.glob(f"{PREFIX}*{SUFFIX}")):
            yield unquote(path.name.removeprefix(PREFIX).removesuffix(SUFFIX))

    def set_aside(self, world: str) -> Path:
        """Rename a database and its side files, so that a new one can take their place.

        Returns:
            The new name of the database.
        """
        file = self.file(world)
        number = 1
        while (aside := file.with_name(f"{file.name}.broken-{number}")).exists():
            number += 1
        for side in SIDE_FILES:
            old = file.with_name(file.name + side)
            if old.exists():
                old.rename(aside.with_name(aside.name + side))
        return aside
