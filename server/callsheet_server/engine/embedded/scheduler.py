"""The model thread: who runs next, one bounded prefill chunk and one decode step at a time.

Requests join and leave between steps (continuous batching).
"""

from __future__ import annotations

import heapq
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.generation import Run
from callsheet_server.engine.embedded.prefix_entry import PrefixEntry
from callsheet_server.engine.embedded.stepper import Stepper, resolve
from callsheet_server.engine.errors import EngineUnavailableError

__all__ = ["Scheduler"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Scheduler:
    """Owns the model. Public methods may be called from any thread."""

    def __init__(self, max_batch: int) -> None:
        self.steps: Stepper
        """Set before ``start``; it needs the stores, and they need us."""
        self._max_batch = max_batch
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._waiting: list[tuple[int, int, Run]] = []
        self._builds: deque[Run] = deque()
        self._serial = 0
        self._gate = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name="callsheet-model", daemon=True)

    @property
    def running(self) -> int:
        """Requests that have a row."""
        return sum(run.generation is not None for run in list(self.steps.runs.values()))

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Cancel everything and end the thread."""
        with self._gate:
            self._closing = True
        self._inbox.put(lambda: None)
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, run: Run) -> None:
        """Queue a request.

        Raises:
            EngineUnavailableError: closing.
        """
        try:
            self._post(lambda: self._enqueue(run))
        except ResidencyError as error:
            raise EngineUnavailableError(str(error)) from error

    def wake(self) -> None:
        """Make the thread look around, e.g. after a cancellation."""
        self._inbox.put(lambda: None)

    def build(self, entry: PrefixEntry, tier: Tier) -> None:
        """Compute a prefix at the lowest priority and keep it at ``tier``; blocks until done.

        Raises:
            BudgetError: ``tier`` has no room.
            ResidencyError: the engine is closing, or computing failed.
        """
        built: Future[None] = Future()
        assert entry.world is not None
        tokens = [*entry.world.prefix, *entry.prefix]
        run = Run(entry, tokens, priority=0, target=tier, waiters=[built])
        self._post(lambda: self._builds.append(run))
        built.result()

    def call(self, function: Callable[[], _T]) -> _T:
        """Run ``function`` on the model thread between two steps, and return what it returns."""
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            return function()
        done: Future[_T] = Future()

        def step() -> None:
            try:
                done.set_result(function())
            except Exception as error:
                done.set_exception(error)

        self._post(step)
        return done.result()

    def _post(self, step: Callable[[], None]) -> None:
        with self._gate:
            if self._closing:
                raise ResidencyError("the engine is closing")
            self._inbox.put(step)

    # --- the thread ---

    def _loop(self) -> None:
        try:
            while not self._closing:
                idle = not (self.steps.runs or self._waiting or self._builds)
                self._drain(wait=idle)
                self._end_cancelled()
                self._admit()
                self.steps.prefill_step()
                self.steps.decode_step()
        finally:
            with self._gate:
                self._closing = True
            self._drain(wait=False)
            self._abandon_all()

    def _abandon_all(self) -> None:
        for run in [*self.steps.runs.values(), *self._builds, *(item[2] for item in self._waiting)]:
            if run.generation is not None:
                run.generation.reply.put(run.generation.end("cancelled", run.cached))
            resolve(run, ResidencyError("the engine is closing"))

    def _drain(self, *, wait: bool) -> None:
        try:
            while True:
                self._inbox.get(block=wait)()
                wait = False
        except queue.Empty:
            return

    def _enqueue(self, run: Run) -> None:
        self._serial += 1
        run.serial = self._serial
        heapq.heappush(self._waiting, (run.priority, run.serial, run))

    def _end_cancelled(self) -> None:
        for run in [run for run in self.steps.runs.values() if run.cancelled]:
            self.steps.finish(run, "cancelled")
        if any(run.cancelled for _, _, run in self._waiting):
            for _, _, run in self._waiting:
                if run.cancelled and run.generation is not None:
                    run.generation.reply.put(run.generation.end("cancelled", 0))
            self._waiting = [item for item in self._waiting if not item[2].cancelled]
            heapq.heapify(self._waiting)

    def _admit(self) -> None:
        while self._waiting and self.running < self._max_batch:
            run = self._waiting[0][2]
            try:
                if not self.steps.pin_adapter(run):
                    break
            except Exception as error:
                self.steps.fail(run, error)
            else:
                self.steps.admit(run)
            heapq.heappop(self._waiting)
        building = any(run.generation is None for run in self.steps.runs.values())
        while self._builds and not building:
            run = self._builds[0]
            if run.entry.tier <= run.target or not run.entry.alive:
                resolve(self._builds.popleft(), None)
                continue
            if (busy := self.steps.computing(run.entry)) is not None:
                busy.waiters += self._builds.popleft().waiters
                continue
            try:
                if not self.steps.pin_adapter(run):
                    break
            except Exception as error:
                self.steps.fail(run, error)
            else:
                self.steps.take_row(run)
                building = True
            self._builds.popleft()
