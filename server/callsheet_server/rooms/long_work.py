"""Work that takes long in a large world: done in slices, between which others are served."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

__all__ = ["LongWork"]

logger = logging.getLogger(__name__)

SLICE_S = 0.002
"""Time taken from everybody else at a stretch."""


@dataclass(slots=True, eq=False)
class _Queue:
    """Work of one world, in the order in which it is done."""

    works: deque[Iterator[None]]
    done: asyncio.Event = field(default_factory=asyncio.Event)


class LongWork:
    """Work as iterators, each step of which is short and leaves its world whole.

    What fits one slice is done at once. While there is more, no message of that world is handled
    (see ``ready``); so nobody sees a change that is half made but the replies that run.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._queues: dict[str, _Queue] = {}
        self._task: asyncio.Task[None] | None = None
        """None while there is nothing to do."""

    def run(self, world: str, work: Iterator[None]) -> None:
        """Begin with work; raises what its first slice raises. Later failures are logged."""
        queue = self._queues.get(world)
        if queue is not None:
            queue.works.append(work)
        elif not self._is_done(work):
            self._queues[world] = _Queue(deque([work]))
            if self._task is None:
                self._task = asyncio.create_task(self._go_on())

    def is_ready(self, world: str) -> bool:
        """True if there is no work left on a world."""
        return world not in self._queues

    async def ready(self, world: str) -> None:
        """Wait until there is no work left on a world."""
        while (queue := self._queues.get(world)) is not None:
            await queue.done.wait()

    async def idle(self) -> None:
        """Wait until there is none on any."""
        for world in list(self._queues):
            await self.ready(world)

    async def close(self) -> None:
        """Drop what is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _go_on(self) -> None:
        """Do one slice of each world in turn, for as long as there are any."""
        while self._queues:
            for world, queue in list(self._queues.items()):
                await asyncio.sleep(0)
                try:
                    done = self._is_done(queue.works[0])
                except Exception:
                    logger.exception("work on world %s failed", world)
                    done = True
                if done:
                    queue.works.popleft()
                if not queue.works:
                    del self._queues[world]
                    queue.done.set()
        self._task = None

    def _is_done(self, work: Iterator[None]) -> bool:
        """Do one slice; True if nothing is left."""
        end_s = self._clock() + SLICE_S
        return all(self._clock() < end_s for _ in work)
