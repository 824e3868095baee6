"""Executor of plans: carries out state moves one by one, in its own thread."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from callsheet_residency.actions import Action, Load, Plan
from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import StateKind, StateStore
from callsheet_server.engine.engine import DoneMove

__all__ = ["MoveLog", "Mover"]

logger = logging.getLogger(__name__)


class MoveLog(Protocol):
    """Log that is told of every state move; ``ResidencyController`` is one."""

    def started(self, action: Action) -> None: ...

    def finished(
        self, action: Action, moved_bytes: int, seconds: float, error: Exception | None
    ) -> None: ...


class Mover:
    """Runs plans one state move at a time, in order; urgent plans go first.

    All methods, and the calls to ``log`` and ``done``, are in the event loop's thread. An exception
    in one of those calls is logged and counted, and changes nothing else.
    """

    def __init__(
        self, stores: Iterable[StateStore], log: MoveLog, done: Callable[[DoneMove], None]
    ) -> None:
        self._stores: dict[StateKind, StateStore] = {store.kind: store for store in stores}
        self._log = log
        self._done = done
        self._plans: deque[deque[Action]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="callsheet-mover")
        self._running: asyncio.Task[None] | None = None
        self._closed = False
        self.failures = 0
        """Exceptions raised by those who are told of moves."""

    def submit(self, plan: Plan, urgent: bool = False) -> None:
        """Queue a plan; an urgent one is next, before the rest of the one that is under way."""
        if not plan.actions or self._closed:
            return
        if urgent:
            self._plans.appendleft(deque(plan.actions))
        else:
            self._plans.append(deque(plan.actions))
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def idle(self) -> None:
        """Wait until everything submitted so far has been tried."""
        while self._running is not None:
            await asyncio.shield(self._running)

    async def close(self) -> None:
        """Finish the move under way, drop the rest. May be called twice."""
        self._closed = True
        self._plans.clear()
        await self.idle()
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        try:
            while self._plans:
                plan = self._plans[0]
                if plan:
                    await self._carry_out(plan.popleft(), plan)
                elif self._plans[0] is plan:
                    self._plans.popleft()
        finally:
            self._running = None

    async def _carry_out(self, action: Action, rest: deque[Action]) -> None:
        self._tell(self._log.started, action)
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._thread, self._move, action)
        self._report(result)
        if result.error is not None:
            # What comes after may have counted on the room this move was to make.
            while rest:
                self._tell(self._log.finished, rest.popleft(), 0, 0.0, result.error)

    def _report(self, move: DoneMove) -> None:
        self._tell(self._log.finished, move.action, move.moved_bytes, move.seconds, move.error)
        self._tell(self._done, move)

    def _tell(self, whom: Callable[..., None], *what: object) -> None:
        try:
            whom(*what)
        except Exception:
            self.failures += 1
            logger.exception("who is told of moves failed; moving goes on")

    def _move(self, action: Action) -> DoneMove:
        """Carry one state move out; runs in the mover's thread."""
        started_s = time.perf_counter()
        moved, error = 0, None  # type: int, Exception | None
        try:
            store = self._stores[action.kind]
            if isinstance(action, Load):
                moved = store.load(action.key, action.target)
            else:
                moved = store.evict(action.key, action.target)
        except ResidencyError as problem:
            logger.info("%s of %s did not happen: %s", type(action).__name__, action.key, problem)
            error = problem
        except Exception as problem:
            logger.exception("%s of %s failed", type(action).__name__, action.key)
            error = problem
        return DoneMove(action, moved, time.perf_counter() - started_s, error)
