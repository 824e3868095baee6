"""Moves of NPCs' prefixes between llama.cpp's slots, files in memory and files on disk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final

from callsheet_residency.errors import BudgetError, ResidencyError, StateLostError
from callsheet_residency.state import Tier
from callsheet_server.engine.errors import EngineError, EngineUnavailableError, GenerationError
from callsheet_server.engine.llamacpp.client import LlamaClient
from callsheet_server.engine.llamacpp.prefix_entry import PrefixEntry
from callsheet_server.engine.llamacpp.slot_pool import SlotPool
from callsheet_server.engine.llamacpp.state_files import SUFFIX, StateFiles, file_name

__all__ = ["PrefixMoves"]

MIN_LORE_TOKENS: Final = 32
"""Shorter lore is computed for every NPC: that is as fast as reading it."""
SMOOTHING: Final = 0.2
"""Weight of the latest prefill in the measured speed."""
YIELD_S: Final = 1.0
"""Longest time that a piece of a prefix waits for requests that have no token yet."""
POLL_S: Final = 0.01


@dataclass(eq=False, slots=True)
class _Lore:
    """The KV of a world's lore, in a file in memory that every NPC's prefix begins with."""

    fingerprint: str
    tokens: int
    saved: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def file(self) -> str:
        return f"lore-{self.fingerprint[:40]}{SUFFIX}"


class PrefixMoves:
    """Carries out moves of entries that the caller has locked. Of the event loop.

    A move that fails leaves the entry where it was, or absent if its KV is gone.
    """

    def __init__(
        self,
        entries: Mapping[Hashable, PrefixEntry],
        pool: SlotPool,
        files: StateFiles,
        budgets: Mapping[Tier, int],
        *,
        token_bytes: int,
        chunk_tokens: int,
    ) -> None:
        """Begin with what earlier runs have left on disk.

        Args:
            entries: of all NPCs; read, to know what lies where.
            pool: of llama.cpp's slots.
            files: for the tiers below.
            budgets: bytes per tier below the device.
            token_bytes: bytes of one token's KV.
            chunk_tokens: tokens computed in one step.
        """
        self._entries = entries
        self.pool = pool
        self.files = files
        self.token_bytes = token_bytes
        self.client: LlamaClient | None = None
        """None = llama.cpp is not running."""
        self._coming = {Tier.HOST: 0, Tier.DISK: 0}
        """Bytes on the way to these tiers."""
        self.prefill_tokens_per_s = 500.0
        """Measured; this is the first guess."""
        self.hurried = 0
        """Requests that wait for their first token."""
        self._budgets = budgets
        self._chunk_tokens = chunk_tokens
        self._lores: dict[tuple[str, int | None], _Lore] = {}
        """By world and adapter."""
        self.orphans = dict(files.left)
        """Files of earlier runs that no NPC has claimed, and their bytes."""

    def size_bytes(self, entry: PrefixEntry) -> int:
        """Bytes that the entry takes in any tier."""
        return self.pool.size_tokens(entry) * self.token_bytes

    def capacity_bytes(self, tier: Tier) -> int:
        """The budget, less what worlds' lore takes of it."""
        lore = sum(lore.tokens for lore in self._lores.values() if lore.saved)
        taken = lore * self.token_bytes if tier is Tier.HOST else 0
        return max(self._budgets.get(tier, 0) - taken, 0)

    def used_bytes(self, tier: Tier) -> int:
        """Bytes that lie in a tier, unclaimed files included."""
        if tier is Tier.DEVICE:
            return self.pool.used_tokens * self.token_bytes
        entries = list(self._entries.values())
        used = sum(self.size_bytes(entry) for entry in entries if entry.tier is tier)
        unclaimed = sum(self.orphans.values()) if tier is Tier.DISK else 0
        return used + unclaimed + self._coming[tier]

    async def up(self, entry: PrefixEntry, target: Tier, *, hurry: bool) -> int:
        """Bring the entry up to ``target``; returns the bytes moved.

        Raises:
            BudgetError: no room.
            StateLostError: its file is gone or damaged.
            EngineError: llama.cpp failed.
        """
        if target is Tier.DEVICE:
            await self._into_slot(entry, hurry)
            return self.size_bytes(entry)
        if entry.tier is Tier.ABSENT:
            await self._into_slot(entry, hurry)
            try:
                return await self.down(entry, target)
            except ResidencyError:
                await self.down(entry, Tier.ABSENT)
                raise
        async with self._room_in(target, size := self.size_bytes(entry)):
            await self._read_from_disk(entry)
        entry.tier = target
        return size

    async def down(self, entry: PrefixEntry, target: Tier) -> int:
        """Leave the entry at ``target``; returns the bytes moved. Raises as ``up``."""
        if target is Tier.ABSENT:
            await self.empty(entry)
            await self._delete(entry)
            entry.lost()
            return 0
        async with self._room_in(target, size := self.size_bytes(entry)):
            if entry.tier is Tier.DEVICE:
                await self._save(entry)
            if target is Tier.DISK:
                await self._write_to_disk(entry)
        await self.empty(entry)
        entry.tier = target
        return size

    async def empty(self, entry: PrefixEntry) -> None:
        """Free the entry's slot and its part of the KV cache."""
        if entry.slot is not None:
            with contextlib.suppress(EngineError):
                await self._running.erase(entry.slot)
            self.pool.release(entry)

    async def forget_lore(self, world: str) -> None:
        """Delete the lore of a world."""
        for key in [key for key in self._lores if key[0] == world]:
            await self._forget_lore(self._lores.pop(key))

    async def _forget_lore(self, lore: _Lore) -> None:
        async with lore.lock:
            lore.saved = False
            await asyncio.to_thread(self.files.delete, (lore.file,))

    @property
    def _running(self) -> LlamaClient:
        if self.client is None:
            raise EngineUnavailableError("llama.cpp is not running; it is being started again")
        return self.client

    async def _into_slot(self, entry: PrefixEntry, hurry: bool) -> None:
        slot = self.pool.take(entry)
        try:
            if entry.tier is Tier.DISK:
                await self._read_from_disk(entry)
                entry.tier = Tier.HOST
            if entry.tier is Tier.HOST:
                await self._restore(entry, slot)
            else:
                await self._build(entry, slot, hurry)
        except BaseException:
            await self.empty(entry)
            raise
        entry.tier = Tier.DEVICE

    async def _restore(self, entry: PrefixEntry, slot: int) -> None:
        try:
            held = await self._read(entry, slot, file_name(entry.key))
        except (GenerationError, StateLostError) as error:  # the file is none that it can read
            await self._delete(entry)
            entry.tier, entry.held_tokens = Tier.ABSENT, len(entry.tokens)
            raise StateLostError(f"{entry.key}: {error}") from error
        await self._delete(entry)
        entry.held_tokens = held

    async def _build(self, entry: PrefixEntry, slot: int, hurry: bool) -> None:
        lore, tokens = entry.prefix.world, entry.tokens
        computed, done = 0, 0
        if len(lore) >= MIN_LORE_TOKENS:
            computed += await self._begin_with_lore(entry, slot, hurry)
            done = len(lore)
        computed += await self._prefill(entry, slot, tokens, done, hurry)
        entry.held_tokens, entry.computed_tokens = len(tokens), computed

    async def _begin_with_lore(self, entry: PrefixEntry, slot: int, hurry: bool) -> int:
        """Have the world's lore in the slot; returns the tokens computed for it."""
        prefix, key = entry.prefix, (entry.key.world, entry.adapter)
        lore = self._lores.get(key)
        if lore is None or lore.fingerprint != prefix.world_fingerprint:
            if lore is not None:
                await self._forget_lore(lore)
            lore = self._lores[key] = _Lore(prefix.world_fingerprint, len(prefix.world))
        async with lore.lock:
            if lore.saved:
                with contextlib.suppress(GenerationError, StateLostError):
                    await self._read(entry, slot, lore.file)
                    return 0
            computed = await self._prefill(entry, slot, prefix.world, 0, hurry)
            free = self.capacity_bytes(Tier.HOST) - self.used_bytes(Tier.HOST)
            if lore.tokens * self.token_bytes <= free:
                _, size = await self._running.save(slot, lore.file)
                with contextlib.suppress(StateLostError):
                    await asyncio.to_thread(self.files.seal, lore.file, size)
                    lore.saved = True
            return computed

    async def _read(self, entry: PrefixEntry, slot: int, file: str) -> int:
        """Read a file into the slot; returns its tokens.

        llama.cpp forgets what a slot holds when a request changes its adapter: so it is changed
        before, by computing a token.
        """
        if self.pool.adapters.get(slot) != entry.adapter:
            await self._running.prefill(slot, entry.tokens[:1], entry.adapter)
            self.pool.adapters[slot] = entry.adapter
        await asyncio.to_thread(self.files.check, file)
        return await self._running.restore(slot, file)

    async def _prefill(
        self, entry: PrefixEntry, slot: int, tokens: tuple[int, ...], done: int, hurry: bool
    ) -> int:
        """Compute ``tokens``, of which ``done`` are in the slot, always in the same pieces.

        Returns:
            Tokens computed.
        """
        loop, in_all = asyncio.get_running_loop(), 0
        while done < len(tokens):
            deadline_s = loop.time() + YIELD_S
            while not hurry and self.hurried and loop.time() < deadline_s:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
            done = min(done + self._chunk_tokens, len(tokens))
            computed, took_s = await self._running.prefill(slot, tokens[:done], entry.adapter)
            self.pool.adapters[slot] = entry.adapter
            in_all += computed
            if took_s > 0:
                speed = computed / took_s
                self.prefill_tokens_per_s += SMOOTHING * (speed - self.prefill_tokens_per_s)
        return in_all

    async def _save(self, entry: PrefixEntry) -> None:
        assert entry.slot is not None
        name = file_name(entry.key)
        saved, size = await self._running.save(entry.slot, name)
        try:
            await asyncio.to_thread(self.files.seal, name, size)
        except StateLostError as error:  # It is still in its slot.
            raise BudgetError(f"host: {error}") from error
        if saved < len(entry.tokens):
            await self.down(entry, Tier.ABSENT)
            raise StateLostError(f"{entry.key}: {saved} tokens were in its slot")
        entry.held_tokens = saved

    async def _read_from_disk(self, entry: PrefixEntry) -> None:
        name = file_name(entry.key)
        try:
            await asyncio.to_thread(self.files.to_memory, name, entry.prefix.fingerprint)
        except StateLostError:
            entry.tier, entry.held_tokens = Tier.ABSENT, len(entry.tokens)
            raise

    async def _write_to_disk(self, entry: PrefixEntry) -> None:
        name, fingerprint = file_name(entry.key), entry.prefix.fingerprint
        try:
            await asyncio.to_thread(self.files.to_disk, name, fingerprint, entry.held_tokens)
        except OSError as error:
            if entry.tier is Tier.DEVICE:
                await self._delete(entry)
            raise BudgetError(f"disk: writing the state of {entry.key} failed: {error}") from error

    async def _delete(self, entry: PrefixEntry) -> None:
        await asyncio.to_thread(self.files.delete, (file_name(entry.key),))

    @contextlib.asynccontextmanager
    async def _room_in(self, tier: Tier, size: int) -> AsyncIterator[None]:
        """Count ``size`` bytes as coming while the block runs; unclaimed files make room."""
        while self.used_bytes(tier) + size > self.capacity_bytes(tier):
            if tier is not Tier.DISK or not self.orphans:
                raise BudgetError(
                    f"{tier.name.lower()}: {size} bytes wanted, {self.used_bytes(tier)} of "
                    f"{self.capacity_bytes(tier)} taken"
                )
            name = next(iter(self.orphans))
            del self.orphans[name]
            await asyncio.to_thread(self.files.delete, (name,))
        self._coming[tier] += size
        try:
            yield
        finally:
            self._coming[tier] -= size
