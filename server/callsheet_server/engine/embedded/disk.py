"""The disk tier of prefix KV: one safetensors file per NPC, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file

from callsheet_residency.errors import StateLostError
from callsheet_server.world.key import NpcKey

__all__ = ["KvDisk", "KvHeader"]

_HEADER_LIMIT_BYTES = 16 << 20
"""Far beyond what any context's token list takes."""


@dataclass(frozen=True, slots=True)
class KvHeader:
    """Header of a KV file: the part that describes the file."""

    fingerprint: str
    """Hash of the model, the adapter and the prefix tokens; another one = another prefix."""
    tokens: tuple[int, ...]
    crc32: int


class KvDisk:
    """Reads and writes KV files. Knows nothing of budgets."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for torn in folder.glob("*.tmp"):
            torn.unlink(missing_ok=True)

    def path(self, key: NpcKey) -> Path:
        name = hashlib.sha256(f"{key.world}\0{key.npc}".encode()).hexdigest()[:40]
        return self._folder / f"{name}.safetensors"

    def files(self) -> dict[Path, int]:
        """Every KV file and its bytes, oldest first."""
        found = [(path, path.stat()) for path in self._folder.glob("*.safetensors")]
        found.sort(key=lambda item: (item[1].st_mtime, item[0]))
        return {path: stat.st_size for path, stat in found}

    def write(self, key: NpcKey, fingerprint: str, tokens: Sequence[int], kv: torch.Tensor) -> None:
        """Write ``kv``, (N, 2, layers, kv_heads, block_tokens, head_dim) on the CPU."""
        listed = json.dumps(list(tokens))
        header = {
            "fingerprint": fingerprint,
            "tokens": listed,
            "crc32": str(_crc32(listed, kv)),
        }
        path = self.path(key)
        partial = path.with_suffix(".tmp")
        save_file({"kv": kv}, partial, metadata=header)
        partial.replace(path)

    def header(self, key: NpcKey) -> KvHeader | None:
        """The header of ``key``'s file; None if there is none or it makes no sense."""
        try:
            with self.path(key).open("rb") as file:
                return _header(file.read(_header_bytes(file.read(8))))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def read(self, key: NpcKey, fingerprint: str) -> torch.Tensor:
        """The KV of ``key``, verified; read rather than mapped, so the file may go at any time.

        Raises:
            StateLostError: the file is gone, torn, altered, or of another prefix.
        """
        path = self.path(key)
        try:
            content = path.read_bytes()
            header = _header(content[8 : 8 + _header_bytes(content[:8])])
            kv = load(content)["kv"]
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise StateLostError(f"{path}: cannot be read: {error}") from error
        if header.fingerprint != fingerprint:
            raise StateLostError(f"{path}: is of another prefix")
        if header.crc32 != _crc32(json.dumps(header.tokens), kv):
            raise StateLostError(f"{path}: the checksum differs")
        return kv

    def delete(self, key: NpcKey) -> None:
        self.path(key).unlink(missing_ok=True)


def _header_bytes(size: bytes) -> int:
    """Length of the JSON that follows the first 8 bytes of a safetensors file, capped."""
    return min(int.from_bytes(size, "little"), _HEADER_LIMIT_BYTES)


def _header(content: bytes) -> KvHeader:
    metadata = json.loads(content)["__metadata__"]
    tokens = tuple(int(token) for token in json.loads(metadata["tokens"]))
    return KvHeader(str(metadata["fingerprint"]), tokens, int(metadata["crc32"]))


def _crc32(tokens: str, kv: torch.Tensor) -> int:
    content = kv.contiguous().view(torch.uint8).numpy()
    return zlib.crc32(content.data, zlib.crc32(tokens.encode()))
