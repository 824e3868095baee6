"""Turns of requests: so many at a time, the most urgent first."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import AsyncIterator

__all__ = ["Turns"]


class Turns:
    """A semaphore whose waiters queue by priority, then in the order of their coming."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._serial = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self.running = 0

    @property
    def waiting(self) -> int:
        """Number of those who wait."""
        return sum(not free.done() for _, _, free in self._waiting)

    @contextlib.asynccontextmanager
    async def turn(self, priority: int) -> AsyncIterator[None]:
        """Wait for a turn and hold it for a block; smaller ``priority`` is sooner."""
        if self.running >= self._limit:
            self._serial += 1
            free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (priority, self._serial, free))
            try:
                await free
            except asyncio.CancelledError:
                if free.done() and not free.cancelled():
                    self._pass_on()
                raise
        else:
            self.running += 1
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            free = heapq.heappop(self._waiting)[2]
            if not free.done():
                free.set_result(None)
                return
        self.running -= 1
