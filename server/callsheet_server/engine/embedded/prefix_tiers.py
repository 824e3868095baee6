"""The three places prefix KV can lie in, their budgets, and the moves between them."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from callsheet_residency.errors import BudgetError, StateLostError
from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.arena import (
    BlockArena,
    KvShape,
    blocks_to_row,
    row_to_blocks,
)
from callsheet_server.engine.embedded.disk import KvDisk
from callsheet_server.engine.embedded.prefix_entry import PrefixEntry, WorldKey, common_tokens
from callsheet_server.engine.embedded.transfer import Transfer
from callsheet_server.world.key import NpcKey

__all__ = ["PrefixTiers"]


class PrefixTiers:
    """Holds and counts the bytes. Callers have claimed the entry they pass.

    Copies left in lower tiers stay valid, since KV is never changed in place; they make a later
    eviction free and are the first to go when their tier needs room. Disk is counted in KV bytes;
    a file's header (about 1 KiB) comes on top.
    """

    def __init__(
        self,
        shape: KvShape,
        device: torch.device,
        budgets: Mapping[Tier, int],
        disk: KvDisk,
        entries: Mapping[Hashable, PrefixEntry],
        lock: threading.Condition,
    ) -> None:
        self.shape = shape
        self.arena = BlockArena(shape, budgets[Tier.DEVICE], device)
        self.shared_blocks = 0
        """Arena blocks of worlds' shared prefixes."""
        self._transfer = Transfer(device)
        self._budgets = budgets
        self._disk = disk
        self._entries = entries
        self._lock = lock
        self._used = {Tier.HOST: 0, Tier.DISK: 0}
        self._orphans: dict[Path, int] = disk.files()
        """Files of earlier runs that no NPC has claimed yet."""
        self._orphan_bytes = sum(self._orphans.values())
        self._drop_spares(Tier.DISK, budgets[Tier.DISK])

    def size_bytes(self, entry: PrefixEntry) -> int:
        return self.shape.blocks(len(entry.tokens)) * self.shape.block_bytes

    def capacity_bytes(self, tier: Tier) -> int:
        """The budget; on the device, what the shared prefixes leave of it."""
        if tier is Tier.DEVICE:
            return (self.arena.total_blocks - self.shared_blocks) * self.shape.block_bytes
        return self._budgets.get(tier, 0)

    def used_bytes(self, tier: Tier) -> int:
        """Bytes of NPCs' KV in ``tier``, spare copies and unclaimed files included."""
        if tier is Tier.DEVICE:
            taken = self.arena.total_blocks - self.arena.free_blocks - self.shared_blocks
            return taken * self.shape.block_bytes
        return self._used[tier] + (self._orphan_bytes if tier is Tier.DISK else 0)

    def adopt_file(self, key: NpcKey, entry: PrefixEntry) -> None:
        """Claim the file an earlier run left for ``key`` if it is of the same prefix."""
        path = self._disk.path(key)
        with self._lock:
            size = self._orphans.pop(path, None)
            if size is None:
                return
            self._orphan_bytes -= size
        header = self._disk.header(key)
        if (
            header is None
            or header.fingerprint != entry.fingerprint
            or header.tokens[: len(entry.prefix)] != entry.prefix
        ):
            self._disk.delete(key)
            return
        entry.tokens = header.tokens
        try:
            self._reserve(Tier.DISK, self.size_bytes(entry))
        except BudgetError:
            entry.tokens = entry.prefix
            self._disk.delete(key)
            return
        entry.on_disk = True
        entry.tier = Tier.DISK

    def check_room(self, entry: PrefixEntry, target: Tier) -> None:
        """Raise ``BudgetError`` if ``entry`` surely does not fit at ``target``."""
        size = self.size_bytes(entry)
        room = self.capacity_bytes(target)
        if target is Tier.DEVICE:
            room = self.arena.free_blocks * self.shape.block_bytes
        if size > room:
            raise BudgetError(f"{target.name.lower()}: {size} bytes wanted, {room} free")

    def place(self, entry: PrefixEntry, row: torch.Tensor, target: Tier) -> None:
        """Store at ``target`` the KV of the entry's prefix, which lies in ``row``.

        Raises:
            BudgetError: no room; nothing has changed.
        """
        entry.tokens = entry.prefix
        tokens = len(entry.prefix)
        count = self.shape.blocks(tokens)
        if target is Tier.DEVICE:
            with self._allocated(entry, count) as blocks:
                row_to_blocks(row, entry.start, tokens, self.arena.kv, blocks)
                entry.blocks = blocks
        else:
            with self._reserved(target, self.size_bytes(entry)):
                kv = self._transfer.host_tensor((count, *self.shape.block), self.shape.dtype)
                with self._transfer.running():
                    row_to_blocks(row, entry.start, tokens, kv.zero_(), range(count))
                self._put(entry, kv, target)
        entry.tier = target

    def extend(self, entry: PrefixEntry, row: torch.Tensor, tokens: tuple[int, ...]) -> None:
        """Make a resident entry hold ``tokens``, whose KV lies in ``row``; needs only free blocks.

        Raises:
            BudgetError: too few are free; nothing has changed.
        """
        same = (
            common_tokens(entry.tokens, tokens) // self.shape.block_tokens * self.shape.block_tokens
        )
        missing = self.shape.blocks(len(tokens)) - len(entry.blocks)
        if missing > 0:
            with self._allocated(entry, missing) as blocks:
                entry.blocks += blocks
        elif missing < 0:
            with self._lock:
                self.arena.release(entry.blocks[missing:])
            del entry.blocks[missing:]
        first = same // self.shape.block_tokens
        row_to_blocks(
            row, entry.start + same, len(tokens) - same, self.arena.kv, entry.blocks[first:]
        )
        if tokens != entry.tokens:
            self._free(entry, Tier.HOST)
            self._free(entry, Tier.DISK)
        entry.tokens = tokens

    def read_into_row(self, entry: PrefixEntry, row: torch.Tensor, tokens: int) -> None:
        """Copy the first ``tokens`` tokens of ``entry`` to ``row`` from wherever they lie.

        Raises:
            StateLostError: the file could not be read; the entry is absent now.
        """
        if entry.tier is Tier.DEVICE:
            blocks_to_row(self.arena.kv, entry.blocks, row, entry.start, tokens)
            return
        kv = entry.host if entry.host is not None else self._read(entry)
        with self._transfer.running():
            blocks_to_row(kv, range(len(kv)), row, entry.start, tokens)

    def move_up(self, entry: PrefixEntry, target: Tier) -> int:
        """Copy to a nearer tier; the copy below stays as a spare.

        Raises:
            BudgetError: no room; nothing has changed.
            StateLostError: the file could not be read; the entry is absent now.
        """
        size = self.size_bytes(entry)
        if target is Tier.DEVICE:
            with self._allocated(entry, self.shape.blocks(len(entry.tokens))) as blocks:
                kv = entry.host if entry.host is not None else self._read(entry)
                with self._transfer.running():
                    for index, block in enumerate(blocks):
                        self.arena.kv[block].copy_(kv[index], non_blocking=True)
                entry.blocks = blocks
        else:
            with self._reserved(Tier.HOST, size):
                entry.host = self._pinned(self._read(entry))
        entry.tier = target
        return size

    def move_down(self, entry: PrefixEntry, target: Tier) -> int:
        """Leave ``entry`` at ``target`` and free the tiers above.

        Raises:
            BudgetError: no room; nothing has changed.
        """
        spare = (target is Tier.HOST and entry.host is not None) or (
            target is Tier.DISK and entry.on_disk
        )
        moved = 0
        if target is not Tier.ABSENT and not spare:
            moved = self.size_bytes(entry)
            with self._reserved(target, moved):
                kv = entry.host if entry.host is not None else self._copied(entry.blocks)
                self._put(entry, kv, target)
        entry.tier = target
        for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK):
            if tier < target:
                self._free(entry, tier)
        if target is Tier.ABSENT:
            entry.tokens = entry.prefix
        return moved

    def check_integrity(self) -> None:
        """Check the books; the lock is held and nobody is copying."""
        entries = list(self._entries.values())
        self.arena.check_integrity([entry.blocks for entry in entries])
        shared = sum(len(entry.blocks) for entry in entries if isinstance(entry.key, WorldKey))
        assert shared == self.shared_blocks, "prefix: shared blocks miscounted"
        host = sum(self.size_bytes(entry) for entry in entries if entry.host is not None)
        assert host == self._used[Tier.HOST], "prefix: host bytes miscounted"
        disk = sum(self.size_bytes(entry) for entry in entries if entry.on_disk)
        assert disk == self._used[Tier.DISK], "prefix: disk bytes miscounted"
        for tier in (Tier.HOST, Tier.DISK):
            assert self.used_bytes(tier) <= self._budgets[tier], f"prefix: {tier.name} over budget"
        for entry in entries:
            self._check_entry(entry)

    def _check_entry(self, entry: PrefixEntry) -> None:
        nearest = Tier.ABSENT
        if entry.blocks:
            nearest = Tier.DEVICE
            count = self.shape.blocks(len(entry.tokens))
            assert len(entry.blocks) == count, f"{entry.key}: wrong number of blocks"
        elif entry.host is not None:
            nearest = Tier.HOST
        elif entry.on_disk:
            nearest = Tier.DISK
        assert entry.tier is nearest, f"{entry.key}: says {entry.tier!r}, lies in {nearest!r}"
        assert entry.tokens[: len(entry.prefix)] == entry.prefix, f"{entry.key}: wrong tokens"
        assert entry.pins >= 0, f"{entry.key}: {entry.pins} pins"

    @contextmanager
    def _allocated(self, entry: PrefixEntry, count: int) -> Iterator[list[int]]:
        """Take ``count`` arena blocks; they go back if the block that uses them raises."""
        with self._lock:
            blocks = self.arena.allocate(count)
            if isinstance(entry.key, WorldKey):
                self.shared_blocks += count
        try:
            yield blocks
        except BaseException:
            with self._lock:
                self.arena.release(blocks)
                if isinstance(entry.key, WorldKey):
                    self.shared_blocks -= count
            raise

    @contextmanager
    def _reserved(self, tier: Tier, size: int) -> Iterator[None]:
        """Count ``size`` bytes in; they are counted out again if the block raises."""
        self._reserve(tier, size)
        try:
            yield
        except BaseException:
            with self._lock:
                self._used[tier] -= size
            raise

    def _reserve(self, tier: Tier, size: int) -> None:
        """Count ``size`` bytes in, dropping unclaimed files and spare copies if that is needed."""
        with self._lock:
            budget = self._budgets[tier]
            if size <= budget:
                self._drop_spares(tier, budget - size)
            if self.used_bytes(tier) + size > budget:
                raise BudgetError(
                    f"{tier.name.lower()}: {size} bytes wanted, {self.used_bytes(tier)} of "
                    f"{budget} taken"
                )
            self._used[tier] += size

    def _drop_spares(self, tier: Tier, down_to: int) -> None:
        while tier is Tier.DISK and self._orphans and self.used_bytes(tier) > down_to:
            path, size = next(iter(self._orphans.items()))
            path.unlink(missing_ok=True)
            del self._orphans[path]
            self._orphan_bytes -= size
        for entry in self._entries.values():
            if self.used_bytes(tier) <= down_to:
                return
            if entry.tier < tier and not entry.busy:
                self._free(entry, tier)

    def _free(self, entry: PrefixEntry, tier: Tier) -> None:
        with self._lock:
            if tier is Tier.DEVICE and entry.blocks:
                self.arena.release(entry.blocks)
                if isinstance(entry.key, WorldKey):
                    self.shared_blocks -= len(entry.blocks)
                entry.blocks = []
            elif tier is Tier.HOST and entry.host is not None:
                self._used[tier] -= self.size_bytes(entry)
                entry.host = None
            elif tier is Tier.DISK and entry.on_disk and isinstance(entry.key, NpcKey):
                self._used[tier] -= self.size_bytes(entry)
                entry.on_disk = False
                self._disk.delete(entry.key)

    def _put(self, entry: PrefixEntry, kv: torch.Tensor, target: Tier) -> None:
        """Put the KV in a tier, in which room for it has been reserved."""
        if target is Tier.HOST:
            entry.host = kv
            return
        assert isinstance(entry.key, NpcKey)
        try:
            self._disk.write(entry.key, entry.fingerprint, entry.tokens, kv)
        except OSError as error:
            raise BudgetError(f"disk: writing the state of {entry.key} failed: {error}") from error
        entry.on_disk = True

    def _read(self, entry: PrefixEntry) -> torch.Tensor:
        assert isinstance(entry.key, NpcKey)
        try:
            return self._disk.read(entry.key, entry.fingerprint)
        except StateLostError:
            self._free(entry, Tier.DISK)
            entry.tier = Tier.ABSENT
            entry.tokens = entry.prefix
            raise

    def _copied(self, blocks: list[int]) -> torch.Tensor:
        """A copy on the host of what lies in these arena blocks."""
        kv = self._transfer.host_tensor((len(blocks), *self.shape.block), self.shape.dtype)
        with self._transfer.running():
            for index, block in enumerate(blocks):
                kv[index].copy_(self.arena.kv[block], non_blocking=True)
        return kv

    def _pinned(self, kv: torch.Tensor) -> torch.Tensor:
        return self._transfer.host_tensor(tuple(kv.shape), kv.dtype).copy_(kv)
