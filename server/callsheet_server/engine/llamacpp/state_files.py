"""States of slots as files: those in memory, which llama.cpp reads and writes, and those on disk.

The folder in memory is one of this process alone and is gone with it; where the system has no file
system in memory, it is a folder for temporary files, which the system keeps in memory while it can.
A file on disk begins with a line of JSON that says what it is, and with a checksum.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Final

from callsheet_residency.errors import StateLostError
from callsheet_server.world.key import NpcKey

__all__ = ["StateFiles", "StateHeader", "file_name"]

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
PIECE_BYTES: Final = 1 << 20
HEADER_BYTES: Final = 4096
"""Longest header that makes sense."""
SUFFIX: Final = ".kv"


@dataclass(frozen=True, slots=True)
class StateHeader:
    """First line of a file on disk."""

    fingerprint: str
    """Hash of model, adapter and prefix; another one = another prefix."""
    tokens: int
    """Tokens whose KV it holds."""
    crc32: int


def file_name(key: NpcKey) -> str:
    """Name of the file of an NPC, the same in every run."""
    return hashlib.sha256(f"{key.world}\0{key.npc}".encode()).hexdigest()[:40] + SUFFIX


class StateFiles:
    """Moves files. Knows nothing of budgets. Every method blocks."""

    def __init__(self, disk: Path) -> None:
        """Make both folders; ``disk`` outlives this process."""
        self._disk = disk
        disk.mkdir(parents=True, exist_ok=True)
        for torn in disk.glob("*.tmp"):
            torn.unlink(missing_ok=True)
        found = [(path, path.stat()) for path in disk.glob(f"*{SUFFIX}")]
        found.sort(key=lambda item: (item[1].st_mtime, item[0].name))
        self.left = {path.name: stat.st_size for path, stat in found}
        """Name and bytes of every file that earlier runs have left on disk, oldest first."""
        parent = MEMORY if os.access(MEMORY, os.W_OK) else None
        self._sealed: dict[str, int] = {}
        """Name -> bytes of every file in memory that is whole."""
        self.memory = Path(tempfile.mkdtemp(prefix="callsheet-slots-", dir=parent))

    def close(self) -> None:
        """Delete what is in memory."""
        shutil.rmtree(self.memory, ignore_errors=True)

    def adopt(self, name: str, fingerprint: str) -> int | None:
        """Tokens in the file that an earlier run left on disk; None = none of this prefix.

        A file of another prefix is deleted.
        """
        try:
            with (self._disk / name).open("rb") as file:
                header = StateHeader(**json.loads(file.readline(HEADER_BYTES)))
        except (OSError, ValueError, TypeError):
            header = None
        if header is not None and header.fingerprint == fingerprint:
            return header.tokens
        (self._disk / name).unlink(missing_ok=True)
        return None

    def seal(self, name: str, size_bytes: int) -> None:
        """Note that a file in memory is to be of so many bytes from now on.

        Raises:
            StateLostError: it is not, as when the memory is full; it is deleted.
        """
        self._sealed[name] = size_bytes
        self.check(name)

    def check(self, name: str) -> None:
        """Look whether a file in memory is whole: one that is not would end llama.cpp.

        Raises:
            StateLostError: it is not; it is deleted.
        """
        try:
            found = (self.memory / name).stat().st_size
        except OSError:
            found = -1
        if found != self._sealed.get(name):
            self.delete((name,))
            raise StateLostError(
                f"{name}: {found} bytes lie in memory, not as many as were written"
            )

    def to_disk(self, name: str, fingerprint: str, tokens: int) -> None:
        """Move a file from memory to disk, where it appears whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        source, partial = self.memory / name, (self._disk / name).with_suffix(".tmp")
        with source.open("rb") as read:
            header = StateHeader(fingerprint, tokens, _crc32(read))
            read.seek(0)
            with partial.open("wb") as write:
                write.write(json.dumps(asdict(header)).encode() + b"\n")
                shutil.copyfileobj(read, write, PIECE_BYTES)
        partial.replace(self._disk / name)
        source.unlink()

    def to_memory(self, name: str, fingerprint: str) -> None:
        """Move a file from disk to memory.

        Raises:
            StateLostError: it is gone, damaged, or of another prefix; it is deleted.
        """
        target = self.memory / name
        try:
            with (self._disk / name).open("rb") as read:
                header = StateHeader(**json.loads(read.readline(HEADER_BYTES)))
                with target.open("w+b") as write:
                    shutil.copyfileobj(read, write, PIECE_BYTES)
                    write.seek(0)
                    right = _crc32(write) == header.crc32
        except (OSError, ValueError, TypeError) as error:
            self.delete((name,))
            raise StateLostError(f"{name}: cannot be read: {error}") from error
        if not right or header.fingerprint != fingerprint:
            self.delete((name,))
            raise StateLostError(f"{name}: is damaged, or of another prefix")
        (self._disk / name).unlink()
        self.seal(name, target.stat().st_size)

    def delete(self, names: Iterable[str]) -> None:
        """Delete files wherever they lie; those that do not exist are ignored."""
        for name in names:
            (self.memory / name).unlink(missing_ok=True)
            (self._disk / name).unlink(missing_ok=True)


def _crc32(file: BinaryIO) -> int:
    crc32 = 0
    while piece := file.read(PIECE_BYTES):
        crc32 = zlib.crc32(piece, crc32)
    return crc32
