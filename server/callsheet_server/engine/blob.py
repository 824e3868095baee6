"""State of your own per NPC (memories, embeddings, a classifier), moved by the same planner.

Subclass ``BlobStore``, say how to build a value and how it becomes bytes, and hand the store to the
server: ``device`` then holds the value ready for use, ``host`` its bytes, ``disk`` a file.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from callsheet_residency.errors import BudgetError, StateLostError
from callsheet_residency.state import StateKind, Tier

__all__ = ["BlobStore"]

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Blob(Generic[T]):
    size_bytes: int
    tier: Tier = Tier.ABSENT
    value: T | None = None
    encoded: bytes | None = None


class BlobStore(Generic[T]):
    """A ``StateStore`` of kind ``BLOB`` for values of type T.

    The server plans for every NPC of every world; a value is built when the NPC is first expected
    to speak. Every method may be called from any thread; a move holds up other users of the store.
    """

    def __init__(
        self, folder: Path, budgets: Mapping[Tier, int], *, typical_bytes: int, rebuild_s: float
    ) -> None:
        """Make an empty store.

        Args:
            folder: where the files of the disk tier go.
            budgets: bytes per tier.
            typical_bytes: what a value is taken to weigh until it has been built.
            rebuild_s: roughly what ``build`` takes.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._budgets = dict(budgets)
        self._typical_bytes = typical_bytes
        self._rebuild_s = rebuild_s
        self._blobs: dict[Hashable, _Blob[T]] = {}
        self._lock = threading.RLock()

    def build(self, key: Hashable) -> T:
        """Make the value of ``key`` from nothing."""
        raise NotImplementedError

    def encode(self, value: T) -> bytes:
        """The value as bytes; ``decode`` must give it back."""
        raise NotImplementedError

    def decode(self, encoded: bytes) -> T:
        """The value, ready for use; for a tensor, this is where it goes to the GPU."""
        raise NotImplementedError

    def get(self, key: Hashable) -> T | None:
        """The value if it is on the device, else None."""
        with self._lock:
            blob = self._blobs.get(key)
            return None if blob is None else blob.value

    @property
    def kind(self) -> StateKind:
        return StateKind.BLOB

    def capacity_bytes(self, tier: Tier) -> int:
        return self._budgets.get(tier, 0)

    def tier(self, key: Hashable) -> Tier:
        blob = self._blobs.get(key)
        return Tier.ABSENT if blob is None else blob.tier

    def size_bytes(self, key: Hashable) -> int:
        blob = self._blobs.get(key)
        return self._typical_bytes if blob is None else blob.size_bytes

    def rebuild_s(self, key: Hashable) -> float:
        return self._rebuild_s

    def backed_up(self, key: Hashable) -> bool:
        return False

    def load(self, key: Hashable, target: Tier) -> int:
        return self._move(key, target) if target < self.tier(key) else 0

    def evict(self, key: Hashable, target: Tier) -> int:
        return self._move(key, target) if target > self.tier(key) else 0

    def drop(self, key: Hashable) -> None:
        with self._lock:
            if self._blobs.pop(key, None) is not None:
                self._path(key).unlink(missing_ok=True)

    def take_changes(self) -> set[Hashable]:
        """Return nothing: state moves only by the planner's order."""
        return set()

    def check_integrity(self) -> None:
        with self._lock:
            for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK):
                assert self._used(tier) <= self.capacity_bytes(tier), f"{tier.name} over budget"
            for key, blob in self._blobs.items():
                assert (blob.value is not None) == (blob.tier is Tier.DEVICE), f"{key}: value"
                assert (blob.encoded is not None) == (blob.tier is Tier.HOST), f"{key}: bytes"
                assert self._path(key).exists() == (blob.tier is Tier.DISK), f"{key}: file"

    def _used(self, tier: Tier) -> int:
        return sum(blob.size_bytes for blob in self._blobs.values() if blob.tier is tier)

    def _move(self, key: Hashable, target: Tier) -> int:
        with self._lock:
            blob = self._blobs.setdefault(key, _Blob(self._typical_bytes))
            if target is Tier.ABSENT:
                self._forget_copies(key, blob)
                return 0
            encoded = self._encoded(key, blob)
            free = self.capacity_bytes(target) - self._used(target)
            if len(encoded) > free:
                raise BudgetError(f"{target.name.lower()}: {len(encoded)} bytes, {free} free")
            value = self.decode(encoded) if target is Tier.DEVICE else None
            if target is Tier.DISK:
                partial = self._path(key).with_suffix(".tmp")
                partial.write_bytes(hashlib.sha256(encoded).digest() + encoded)
            self._forget_copies(key, blob)
            blob.size_bytes, blob.tier, blob.value = len(encoded), target, value
            if target is Tier.HOST:
                blob.encoded = encoded
            elif target is Tier.DISK:
                partial.replace(self._path(key))
            return len(encoded)

    def _encoded(self, key: Hashable, blob: _Blob[T]) -> bytes:
        if blob.encoded is not None:
            return blob.encoded
        if blob.value is not None:
            return self.encode(blob.value)
        if blob.tier is Tier.ABSENT:
            return self.encode(self.build(key))
        try:
            stored = self._path(key).read_bytes()
        except OSError as error:
            self._forget_copies(key, blob)
            raise StateLostError(f"{key}: {error}") from error
        digest, encoded = stored[:32], stored[32:]
        if hashlib.sha256(encoded).digest() != digest:
            self._forget_copies(key, blob)
            raise StateLostError(f"{key}: its file is damaged")
        return encoded

    def _forget_copies(self, key: Hashable, blob: _Blob[T]) -> None:
        self._path(key).unlink(missing_ok=True)
        blob.tier, blob.value, blob.encoded = Tier.ABSENT, None, None

    def _path(self, key: Hashable) -> Path:
        return self._folder / f"{hashlib.sha256(repr(key).encode()).hexdigest()[:40]}.blob"
