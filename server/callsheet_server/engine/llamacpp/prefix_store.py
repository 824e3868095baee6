"""The ``StateStore`` of llama.cpp's prefixes: who may move which entry, when."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.errors import ResidencyError, StateInUseError, StateLostError
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.errors import EngineError, UnknownNpcError
from callsheet_server.engine.llamacpp.client import LlamaClient
from callsheet_server.engine.llamacpp.prefix_entry import PrefixEntry
from callsheet_server.engine.llamacpp.prefix_moves import PrefixMoves
from callsheet_server.engine.llamacpp.slot_pool import SlotPool
from callsheet_server.engine.llamacpp.state_files import StateFiles, file_name
from callsheet_server.engine.prompt import NpcPrefix
from callsheet_server.world.key import NpcKey

__all__ = ["Place", "PrefixStore"]

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Place of a prefix while a request runs."""

    slot: int
    computed_tokens: int
    """Tokens of the prefix that had to be computed for this request."""


class PrefixStore:
    """Prefixes per NPC; keys are ``NpcKey``.

    All that changes runs on the event loop: ``load``, ``evict`` and ``drop``, which another thread
    calls, wait for it. Who moves an entry holds its lock.
    """

    def __init__(
        self,
        pool: SlotPool,
        files: StateFiles,
        budgets: Mapping[Tier, int],
        *,
        token_bytes: int,
        chunk_tokens: int,
    ) -> None:
        """Make an empty store, on the event loop.

        Args:
            pool: of llama.cpp's slots.
            files: for the tiers below.
            budgets: bytes per tier.
            token_bytes: bytes of one token's KV.
            chunk_tokens: tokens computed in one step.
        """
        self.published: dict[str, tuple[tuple[str, ...], NDArray[np.float32]]] = {}
        """The latest distances: per world N NPC ids and (N,) float32 seconds."""
        self._entries: dict[Hashable, PrefixEntry] = {}
        self._pool = pool
        self._moves = PrefixMoves(
            self._entries, pool, files, budgets, token_bytes=token_bytes, chunk_tokens=chunk_tokens
        )
        self._files = files
        self._device_bytes = budgets[Tier.DEVICE]
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Lock()
        """Held by the request that makes room: one at a time, in the order of their coming."""
        self._freed = asyncio.Event()
        self._changes: set[Hashable] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def kind(self) -> StateKind:
        return StateKind.PREFIX

    def capacity_bytes(self, tier: Tier) -> int:
        return self._device_bytes if tier is Tier.DEVICE else self._moves.capacity_bytes(tier)

    def used_bytes(self, tier: Tier) -> int:
        """Bytes that lie in ``tier`` now, or are on the way there."""
        return self._moves.used_bytes(tier)

    def items(self, tier: Tier) -> int:
        """NPCs whose tier this is."""
        return sum(entry.tier is tier for entry in list(self._entries.values()))

    def tier(self, key: Hashable) -> Tier:
        entry = self._entries.get(key)
        return Tier.ABSENT if entry is None else entry.tier

    def size_bytes(self, key: Hashable) -> int:
        entry = self._entries.get(key)
        return 0 if entry is None else self._moves.size_bytes(entry)

    def rebuild_s(self, key: Hashable) -> float:
        entry = self._entries.get(key)
        if entry is None:
            return math.inf
        return len(entry.tokens) / self._moves.prefill_tokens_per_s

    def backed_up(self, key: Hashable) -> bool:
        return False

    def load(self, key: Hashable, target: Tier) -> int:
        return self._wait(self._load(self._known(key), target))

    def evict(self, key: Hashable, target: Tier) -> int:
        return self._wait(self._evict(self._known(key), target))

    def drop(self, key: Hashable) -> None:
        self._wait(self.forget(key))

    def take_changes(self) -> set[Hashable]:
        changes, self._changes = self._changes, set()
        return changes

    def check_integrity(self) -> None:
        self._pool.check_integrity()
        for entry in list(self._entries.values()):
            if not entry.lock.locked():
                on_device = entry.tier is Tier.DEVICE
                assert (entry.slot is not None) == on_device, f"{entry.key}: slot {entry.slot}"
                assert entry.held_tokens >= len(entry.tokens), f"{entry.key}: holds too little"
        for tier in (Tier.HOST, Tier.DISK):
            used, capacity = self.used_bytes(tier), self.capacity_bytes(tier)
            assert used <= capacity, f"prefix: {tier.name} holds {used} of {capacity} bytes"

    # --- on the event loop ---

    def attach(self, client: LlamaClient) -> None:
        """Work with a llama.cpp that has just been started: all its slots are empty."""
        self._moves.client = client
        self._pool.adapters.clear()
        for entry in list(self._pool.entries.values()):
            self._pool.release(entry)
            if entry.tier is Tier.DEVICE:
                entry.lost()
            self._note(entry)

    def detach(self) -> None:
        """Note that llama.cpp is gone: moves fail until another is attached."""
        self._moves.client = None

    def get(self, key: NpcKey) -> PrefixEntry | None:
        return self._entries.get(key)

    def register(
        self, key: NpcKey, prefix: NpcPrefix, tokens_on_disk: int | None, adapter: int | None
    ) -> None:
        """Announce a prefix; the KV of another one under the same key is dropped.

        Args:
            key: of the NPC.
            prefix: what defines it.
            tokens_on_disk: of this prefix, in the file that an earlier run has left; None = none.
            adapter: number of the adapter that it is computed with; None = none.
        """
        known = self._entries.get(key)
        if known is not None and known.prefix.fingerprint == prefix.fingerprint:
            return
        self._moves.orphans.pop(file_name(key), None)
        entry = PrefixEntry(key, prefix, (*prefix.world, *prefix.persona), adapter)
        if known is not None:
            entry.lock = known.lock  # Its files have the same name: one after the other.
            self._spawn(self._discard(known))
        elif tokens_on_disk is not None:
            entry.tier, entry.held_tokens = Tier.DISK, tokens_on_disk
        self._entries[key] = entry
        self._note(entry)

    async def forget(self, key: Hashable) -> None:
        """Drop an NPC's prefix from every tier. Unknown keys are ignored."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            await self._discard(entry)

    async def forget_world(self, world: str) -> None:
        """Drop what belongs to no NPC: the world's lore."""
        self.published.pop(world, None)
        await self._moves.forget_lore(world)

    @contextlib.asynccontextmanager
    async def running(
        self, entry: PrefixEntry, request_id: str, tokens: int
    ) -> AsyncIterator[Place]:
        """Have the entry on the device for a block; the farthest make room if need be.

        Args:
            entry: of the NPC.
            request_id: of the request.
            tokens: that its prompt and its reply may take.

        Yields:
            Where it is.

        Raises:
            EngineError: llama.cpp failed.
        """
        bringing = self._spawn(self._bring(entry, request_id, tokens))

        def end(task: asyncio.Task[Place]) -> None:
            if not task.cancelled():
                task.exception()  # Told to who waited, if anybody did.
            entry.reserved.pop(request_id, None)
            self._note(entry)
            self._freed.set()

        try:
            yield await asyncio.shield(bringing)  # A move is never left half done.
        finally:
            bringing.add_done_callback(end)

    @contextlib.contextmanager
    def hurry(self) -> Iterator[Callable[[], None]]:
        """Hold back the building of prefixes for later; until the block ends, or it is called."""
        with contextlib.ExitStack() as stack:
            self._moves.hurried += 1
            stack.callback(self._calm)
            yield stack.close

    def _calm(self) -> None:
        self._moves.hurried -= 1

    def call(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call ``function`` on the event loop, from another thread; does not wait for it."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def begin(self, function: Callable[..., Coroutine[Any, Any, None]], argument: Any) -> None:
        """Begin what takes a while; ``settle`` waits for it."""
        self._spawn(function(argument))

    async def settle(self) -> None:
        """Wait until everything begun has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _bring(self, entry: PrefixEntry, request_id: str, tokens: int) -> Place:
        async with contextlib.AsyncExitStack() as room:
            await room.enter_async_context(self._room)
            async with entry.lock:
                if not entry.alive:
                    raise UnknownNpcError(f"{entry.key} was forgotten")
                while not self._pool.has_room(entry, tokens):
                    await self._make_room(entry)
                slot = self._pool.take(entry)
                entry.reserved[request_id] = tokens
                await room.aclose()
                entry.computed_tokens = 0
                if entry.tier is not Tier.DEVICE:
                    await self._up_or_anew(entry)
                return Place(slot, entry.computed_tokens)

    async def _up_or_anew(self, entry: PrefixEntry) -> None:
        try:
            await self._moves.up(entry, Tier.DEVICE, hurry=True)
        except StateLostError as error:
            logger.warning("%s; it is computed anew", error)
            await self._moves.up(entry, Tier.DEVICE, hurry=True)
        finally:
            self._note(entry)

    async def _make_room(self, wanted: PrefixEntry) -> None:
        """Evict the farthest NPC that can be, or wait for a change."""
        idle = [
            entry
            for entry in self._pool.entries.values()
            if not entry.reserved and not entry.lock.locked() and entry is not wanted
        ]
        if not idle:
            self._freed.clear()
            await self._freed.wait()
            return
        distance_s = {
            NpcKey(world, npc): distance
            for world, (npcs, distances) in self.published.items()
            for npc, distance in zip(npcs, distances.tolist(), strict=True)
        }
        victim = max(idle, key=lambda entry: distance_s.get(entry.key, math.inf))
        async with victim.lock:
            for target in (Tier.HOST, Tier.DISK, Tier.ABSENT):
                with contextlib.suppress(ResidencyError):
                    await self._moves.down(victim, target)
                    break
        self._note(victim)

    async def _load(self, entry: PrefixEntry, target: Tier) -> int:
        async with self._moving(entry):
            if not entry.alive or entry.tier <= target:
                return 0
            return await self._moves.up(entry, target, hurry=False)

    async def _evict(self, entry: PrefixEntry, target: Tier) -> int:
        async with self._moving(entry):
            if not entry.alive or entry.tier >= target:
                return 0
            if entry.reserved:
                raise StateInUseError(f"{entry.key}: a running request counts on it")
            return await self._moves.down(entry, target)

    async def _discard(self, entry: PrefixEntry) -> None:
        entry.alive = False
        async with self._moving(entry):
            await self._moves.down(entry, Tier.ABSENT)

    @contextlib.asynccontextmanager
    async def _moving(self, entry: PrefixEntry) -> AsyncIterator[None]:
        async with entry.lock:
            try:
                yield
            finally:
                self._freed.set()

    def _known(self, key: Hashable) -> PrefixEntry:
        entry = self._entries.get(key)
        if entry is None:
            raise ResidencyError(f"{key}: no such NPC was announced")
        return entry

    def _note(self, entry: PrefixEntry) -> None:
        """Note a change that the planner did not order."""
        self._changes.add(entry.key)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Do ``work`` on the event loop, from another thread."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except EngineError as error:
            raise ResidencyError(str(error)) from error
