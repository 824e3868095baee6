"""The ``StateStore`` of whole models: who loads and unloads which one, when."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable, Mapping
from typing import Any, TypeVar

from callsheet_residency.errors import BudgetError, ResidencyError, StateInUseError
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.engine import Engine
from callsheet_server.engine.errors import EngineError

__all__ = ["WeightsStore"]

T = TypeVar("T")


class WeightsStore:
    """Models by name; on the device = an engine runs it, on disk = its files alone.

    All that changes runs on the event loop: ``load`` and ``evict``, which another thread calls,
    wait for it. A request whose model is not loaded loads it itself; if there is no room, the
    model whose NPCs speak last makes it, once its own replies have ended.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        budget_bytes: int,
        *,
        open_engine: Callable[[str], Awaitable[Engine]],
        shut_engine: Callable[[str, Engine], Awaitable[None]],
        distances: Callable[[], Mapping[str, float]],
    ) -> None:
        """Make a store with nothing loaded, on the event loop.

        Args:
            sizes: model -> bytes that it takes once it is loaded.
            budget_bytes: for those that are loaded.
            open_engine: starts an engine with a model.
            shut_engine: ends it.
            distances: by model, seconds to the next use; what is missing is not expected.
        """
        self.engines: dict[str, Engine] = {}
        """Those that are loaded."""
        self._sizes = dict(sizes)
        self._budget_bytes = budget_bytes
        self._open = open_engine
        self._shut = shut_engine
        self._distances = distances
        self._users = Counter[str]()
        self._leaving: set[str] = set()
        """Loaded, but no longer given to requests: others wait for its room."""
        self._moving = asyncio.Lock()
        self._room = asyncio.Lock()
        """Held by the request that makes room: one at a time, in the order of their coming."""
        self._freed = asyncio.Event()
        self._changes: set[Hashable] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.get_running_loop()

    @property
    def kind(self) -> StateKind:
        return StateKind.WEIGHTS

    def capacity_bytes(self, tier: Tier) -> int:
        """The budget on the device; on disk everything has its place, and none is on the host."""
        known = {Tier.DEVICE: self._budget_bytes, Tier.DISK: sum(self._sizes.values())}
        return known.get(tier, 0)

    def used_bytes(self, tier: Tier) -> int:
        """Bytes of the models of a tier."""
        return sum(size for model, size in self._sizes.items() if self.tier(model) is tier)

    def items(self, tier: Tier) -> int:
        """Models whose tier this is."""
        return sum(self.tier(model) is tier for model in self._sizes)

    def tier(self, key: Hashable) -> Tier:
        if key not in self._sizes:
            return Tier.ABSENT
        return Tier.DEVICE if key in self.engines else Tier.DISK

    def size_bytes(self, key: Hashable) -> int:
        return self._sizes.get(str(key), 0)

    def rebuild_s(self, key: Hashable) -> float:
        return math.inf

    def backed_up(self, key: Hashable) -> bool:
        return False

    def load(self, key: Hashable, target: Tier) -> int:
        """As the protocol says; nothing is between the device and the disk."""
        return self._wait(self._load(str(key))) if target is Tier.DEVICE else 0

    def evict(self, key: Hashable, target: Tier) -> int:
        """As the protocol says; its files stay."""
        return self._wait(self._unload(str(key)))

    def drop(self, key: Hashable) -> None:
        """Unload it, if no request needs it; its files stay."""
        with contextlib.suppress(StateInUseError):
            self.evict(key, Tier.DISK)

    def take_changes(self) -> set[Hashable]:
        changes, self._changes = self._changes, set()
        return changes

    def check_integrity(self) -> None:
        used = self.used_bytes(Tier.DEVICE)
        assert used <= self._budget_bytes, f"weights: {used} of {self._budget_bytes} bytes"
        assert self.engines.keys() <= self._sizes.keys(), "weights: a model nobody knows"

    # --- on the event loop ---

    @contextlib.asynccontextmanager
    async def using(self, model: str) -> AsyncIterator[Engine]:
        """Have a model loaded for a block.

        Raises:
            EngineStartError: it cannot be loaded any more.
        """
        while model not in self.engines or model in self._leaving:
            await asyncio.shield(self._spawn(self._bring(model)))  # Never left half done.
        self._users[model] += 1
        try:
            yield self.engines[model]
        finally:
            self._users[model] -= 1
            self._freed.set()

    async def close(self) -> None:
        """Unload everything, also what is in use."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        async with self._moving:
            while self.engines:
                model, engine = self.engines.popitem()
                await self._shut(model, engine)

    async def _bring(self, model: str) -> None:
        async with self._room:
            while model not in self.engines and not self._fits(model):
                await self._make_room()
            try:
                await self._load(model)
            finally:
                self._changes.add(model)

    async def _make_room(self) -> None:
        """Unload the model that is needed last, when its replies under way have ended."""
        distance_s = self._distances()
        victim = max(
            self.engines,
            key=lambda model: (not self._users[model], distance_s.get(model, math.inf)),
        )
        self._leaving.add(victim)
        try:
            while self._users[victim]:
                self._freed.clear()
                await self._freed.wait()
            await self._unload(victim)
        finally:
            self._leaving.discard(victim)
            self._changes.add(victim)

    async def _load(self, model: str) -> int:
        async with self._moving:
            if model in self.engines:
                return 0
            if not self._fits(model):
                raise BudgetError(
                    f"device: {model} takes {self._sizes[model]} bytes, "
                    f"{self.used_bytes(Tier.DEVICE)} of {self._budget_bytes} taken"
                )
            self.engines[model] = await self._open(model)
            return self._sizes[model]

    async def _unload(self, model: str) -> int:
        async with self._moving:
            if self._users[model]:
                raise StateInUseError(f"{model}: a running request uses it")
            engine = self.engines.pop(model, None)
            if engine is None:
                return 0
            await self._shut(model, engine)
            return self._sizes[model]

    def _fits(self, model: str) -> bool:
        return self.used_bytes(Tier.DEVICE) + self._sizes[model] <= self._budget_bytes

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Told to who waited, if anybody did.

    def _wait(self, work: Coroutine[Any, Any, int]) -> int:
        """Do ``work`` on the event loop, from another thread."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except EngineError as error:
            raise ResidencyError(str(error)) from error
