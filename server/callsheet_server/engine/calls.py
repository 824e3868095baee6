"""Requests under way at a model server: whose they are, how far they are, how to end them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, Final

from callsheet_residency.state import Tier
from callsheet_server.engine.engine import GenerationEnd, GenerationRequest, StopReason
from callsheet_server.engine.errors import (
    EngineError,
    EngineOverloadedError,
    EngineUnavailableError,
    RequestRefusedError,
)
from callsheet_server.engine.stop_text import StopText
from callsheet_server.world.key import NpcKey

__all__ = ["Call", "Calls"]

FIRST_GUESS_S: Final = 2.0
"""Assumed length of a request, before one has ended."""
SMOOTHING: Final = 0.1
"""Weight of the latest request in the mean."""


class Call:
    """One request: its clock, its text so far, and the stream it is read from."""

    def __init__(self, request: GenerationRequest) -> None:
        self.request = request
        self.text = StopText(request.stop)
        self.cancelled = False
        self.submitted_s = time.perf_counter()
        self.first_token_s = math.inf
        """By the same clock; +inf = none has come."""
        self._items: asyncio.Queue[Any] = asyncio.Queue()

    def cancel(self) -> None:
        """End the stream being read, also while it is silent."""
        self.cancelled = True
        self._items.put_nowait(None)

    def fail(self, error: EngineError) -> None:
        """Have the stream being read raise ``error``, also while it is silent."""
        self._items.put_nowait(error)

    @contextlib.asynccontextmanager
    async def reading(self, source: AsyncGenerator[Any]) -> AsyncIterator[AsyncGenerator[Any]]:
        """Read ``source`` in a task of its own; it is closed when the block is left.

        The generator that the block gets ends with ``source``, or when the call is cancelled.
        """
        reader = asyncio.create_task(self._pump(source))
        try:
            yield self._events()
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _pump(self, source: AsyncGenerator[Any]) -> None:
        try:
            async with contextlib.aclosing(source):
                async for event in source:
                    self._items.put_nowait(event)
            self._items.put_nowait(None)
        except Exception as error:
            self._items.put_nowait(error)

    async def _events(self) -> AsyncGenerator[Any]:
        while not self.cancelled:
            event = await self._items.get()
            if event is None:
                return
            if isinstance(event, Exception):
                raise event
            yield event

    def heard(self) -> None:
        """Note that a token has come."""
        self.first_token_s = min(self.first_token_s, time.perf_counter())

    @property
    def ttft_s(self) -> float:
        """Time from submit to first token; +inf = none has come."""
        return self.first_token_s - self.submitted_s

    def end(
        self,
        reason: StopReason,
        *,
        prompt_tokens: int,
        cached_tokens: int,
        generated_tokens: int,
        tier_at_start: Tier,
        queue_s: float = 0.0,
    ) -> GenerationEnd:
        """Make the last item of its stream."""
        return GenerationEnd(
            finish_reason="cancelled" if self.cancelled else reason,
            prompt_tokens=prompt_tokens,
            cached_tokens=cached_tokens,
            generated_tokens=generated_tokens,
            tier_at_start=tier_at_start,
            queue_s=queue_s,
            ttft_s=self.ttft_s,
            total_s=time.perf_counter() - self.submitted_s,
        )


class Calls:
    """The requests under way."""

    def __init__(self, max_open: int) -> None:
        self._max_open = max_open
        self._open: dict[str, Call] = {}
        self._mean_s = FIRST_GUESS_S

    @contextlib.contextmanager
    def open(self, request: GenerationRequest) -> Iterator[Call]:
        """Let a request in; it counts until the block is left.

        Raises:
            EngineOverloadedError: there are too many.
            RequestRefusedError: it makes no sense, or its id is in use.
        """
        if (problem := self._problem(request)) is not None:
            raise RequestRefusedError(problem, problem)
        if len(self._open) >= self._max_open:
            raise EngineOverloadedError(
                f"{len(self._open)} requests are open (max_open); try again in "
                f"{self._mean_s:.1f} s",
                retry_after_s=self._mean_s,
            )
        call = self._open[request.request_id] = Call(request)
        try:
            yield call
        finally:
            del self._open[request.request_id]
            took_s = time.perf_counter() - call.submitted_s
            if math.isfinite(call.first_token_s):
                self._mean_s += SMOOTHING * (took_s - self._mean_s)

    def _problem(self, request: GenerationRequest) -> str | None:
        if request.request_id in self._open:
            return f"request_id {request.request_id!r} is in use; choose another"
        if not request.turns:
            return "turns: is empty; give at least the turn to answer"
        if request.max_new_tokens < 1:
            return f"max_new_tokens: is {request.max_new_tokens}; give at least 1"
        return None

    def cancel(self, request_id: str) -> bool:
        """End a request's stream with "cancelled"; False = not known."""
        call = self._open.get(request_id)
        if call is not None:
            call.cancel()
        return call is not None

    def cancel_npc(self, key: NpcKey) -> None:
        """End the requests of an NPC."""
        for call in self._open.values():
            if call.request.npc == key:
                call.cancel()

    def npcs(self) -> set[NpcKey]:
        """NPCs that have a request under way."""
        return {call.request.npc for call in self._open.values()}

    def cancel_all(self) -> None:
        """End all requests."""
        for call in self._open.values():
            call.cancel()

    def fail_all(self, message: str) -> None:
        """End all requests with ``EngineUnavailableError``, as the server is gone."""
        for call in self._open.values():
            call.fail(EngineUnavailableError(message))

    @property
    def running(self) -> int:
        """Number of requests that have their first token."""
        return sum(math.isfinite(call.first_token_s) for call in self._open.values())

    @property
    def waiting(self) -> int:
        """Number of requests that wait for their first token."""
        return len(self._open) - self.running
