"""The model thread: who runs next, one bounded prefill chunk and one decode step at a time.

Requests join and leave between steps (continuous batching). All runs share one batch cache; a run
keeps its row while it lives, except that the last row is moved into a hole so that steps stay
narrow. Rows below the last decoding one that are not decoding themselves are computed along and
ignored: what they write lies where their next real token goes.
"""

from __future__ import annotations

import heapq
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import torch

from callsheet_server.engine.embedded.adapter_store import AdapterStore
from callsheet_server.engine.embedded.generation import Run
from callsheet_server.engine.embedded.prefix_entry import PrefixEntry
from callsheet_server.engine.embedded.prefix_store import PrefixStore
from callsheet_server.engine.embedded.runner import ModelRunner
from callsheet_server.engine.engine import Delta, FinishReason
from callsheet_server.engine.errors import EngineError, EngineUnavailableError, GenerationError
from callsheet_server.residency.errors import ResidencyError
from callsheet_server.residency.state import Tier

__all__ = ["Scheduler"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Scheduler:
    """Owns the model. Public methods may be called from any thread."""

    def __init__(
        self,
        runner: ModelRunner,
        *,
        max_batch: int,
        chunk_tokens: int,
        keep_conversation: bool,
    ) -> None:
        self.store: PrefixStore
        self.adapters: AdapterStore
        """Both are set before ``start``: they call us, and we call them."""
        self.mean_run_s = 1.0
        """Running mean of how long a request runs once admitted."""
        self._runner = runner
        self._max_batch = max_batch
        self._chunk_tokens = chunk_tokens
        self._keep_conversation = keep_conversation
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._waiting: list[tuple[int, int, Run]] = []
        self._builds: deque[Run] = deque()
        self._runs: dict[int, Run] = {}
        self._serial = 0
        self._gate = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name="callsheet-model", daemon=True)

    @property
    def running(self) -> int:
        """Requests that have a row."""
        return sum(run.generation is not None for run in list(self._runs.values()))

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
                idle = not (self._runs or self._waiting or self._builds)
                self._drain(wait=idle)
                self._end_cancelled()
                self._admit()
                self._prefill_step()
                self._decode_step()
        finally:
            with self._gate:
                self._closing = True
            self._drain(wait=False)
            self._abandon_all()

    def _abandon_all(self) -> None:
        for run in [*self._runs.values(), *self._builds, *(item[2] for item in self._waiting)]:
            if run.generation is not None:
                run.generation.reply.put(run.generation.end("cancelled", run.cached))
            _resolve(run, ResidencyError("the engine is closing"))

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
        for run in [run for run in self._runs.values() if run.cancelled]:
            self._finish(run, "cancelled")
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
                if not self._pin_adapter(run):
                    break
            except ResidencyError as error:
                self._fail(run, error)
            else:
                self._admit_request(run)
            heapq.heappop(self._waiting)
        building = any(run.generation is None for run in self._runs.values())
        while self._builds and not building:
            run = self._builds[0]
            if run.entry.tier <= run.target or not run.entry.alive:
                _resolve(self._builds.popleft(), None)
                continue
            if (busy := self._computing(run.entry)) is not None:
                busy.waiters += self._builds.popleft().waiters
                continue
            try:
                if not self._pin_adapter(run):
                    break
            except ResidencyError as error:
                self._fail(run, error)
            else:
                self._take_row(run)
                building = True
            self._builds.popleft()

    def _pin_adapter(self, run: Run) -> bool:
        """False = its adapter has to wait until a running request frees room on the device."""
        return run.adapter is None or self.adapters.pin(run.adapter)

    def _slot(self, run: Run) -> str | None:
        return None if run.adapter is None else self.adapters.slot(run.adapter)

    def _admit_request(self, run: Run) -> None:
        assert run.generation is not None
        run.generation.admitted_s = time.perf_counter()
        self.store.pin(run.entry)
        half_built = self._computing(run.entry)
        if half_built is None or half_built.generation is not None:
            self._take_row(run)
            return
        run.row, run.done, run.cached = half_built.row, half_built.done, half_built.done
        run.world_tried, run.prefix_tried = half_built.world_tried, half_built.prefix_tried
        run.waiters = half_built.waiters
        self._runs[run.row] = run
        if half_built.adapter is not None:
            self.adapters.unpin(half_built.adapter)

    def _computing(self, entry: PrefixEntry) -> Run | None:
        """The run that is computing the prefix just now."""
        runs = self._runs.values()
        return next((r for r in runs if r.entry is entry and r.done < r.prefix_end), None)

    def _take_row(self, run: Run) -> None:
        """Give ``run`` the lowest free row; there is one."""
        run.row = next(row for row in range(self._runner.rows) if row not in self._runs)
        self._runs[run.row] = run

    def _prefill_step(self) -> None:
        pending = [run for run in self._runs.values() if not run.decoding]
        if not pending:
            return
        run = min(pending, key=lambda r: (r.generation is None, r.priority, r.serial))
        try:
            self._reuse(run)
            if run.done < len(run.tokens):
                self._prefill_chunk(run)
            if run.generation is None and run.done == len(run.tokens):
                self._release(run)
        except Exception as error:
            self._fail(run, error)

    def _reuse(self, run: Run) -> None:
        """Copy what is held into the row, at the boundaries where that can begin."""
        row = self._runner.cache.row(run.row)
        if not run.world_tried:
            run.world_tried = True
            run.done = run.cached = self.store.fill_row(run.world, row, run.world.prefix)
        if run.done == run.world_end and not run.prefix_tried:
            run.prefix_tried = True
            wanted = run.tokens[run.world_end : max(run.prefix_end, len(run.tokens) - 1)]
            got = self.store.fill_row(run.entry, row, wanted)
            run.done += got
            run.cached += got
            if got:
                _resolve(run, None)

    def _prefill_chunk(self, run: Run) -> None:
        ends = (run.world_end, run.prefix_end, len(run.tokens))
        boundary = next((end for end in ends if end > run.done), run.done)
        end = min(run.done + self._chunk_tokens, boundary)
        chunk = run.tokens[run.done : end]
        started_s = time.perf_counter()
        logits = self._runner.forward(
            slice(run.row, run.row + 1), [chunk], [run.done], [self._slot(run)]
        )
        if len(chunk) == self._chunk_tokens:
            rate = len(chunk) / (time.perf_counter() - started_s)
            self.store.prefill_tokens_per_s += 0.2 * (rate - self.store.prefill_tokens_per_s)
        run.done = end
        row = self._runner.cache.row(run.row)
        if end == run.world_end:
            self.store.commit(run.world, row, make_room=True)
        if end == run.prefix_end:
            make_room = run.generation is not None
            self.store.commit(run.entry, row, run.target, make_room=make_room)
            _resolve(run, None)
        if end == len(run.tokens) and run.generation is not None:
            run.decoding = True
            self._accept(run, logits[0])

    def _decode_step(self) -> None:
        decoding = [run for run in self._runs.values() if run.decoding]
        if not decoding:
            return
        width = max(run.row for run in decoding) + 1
        tokens, starts = [[0]] * width, [0] * width
        slots: list[str | None] = [None] * width
        for run in self._runs.values():
            if run.row < width:
                starts[run.row] = run.done
                if run.decoding:
                    tokens[run.row] = [run.tokens[-1]]
                    slots[run.row] = self._slot(run)
        try:
            logits = self._runner.forward(slice(0, width), tokens, starts, slots)
            rows = [logits[run.row] for run in decoding]
        except Exception as error:
            for run in decoding:
                self._fail(run, error)
            return
        for run in decoding:
            run.done += 1
        for run, row_logits in zip(decoding, rows, strict=True):
            try:
                self._accept(run, row_logits)
            except Exception as error:
                self._fail(run, error)

    def _accept(self, run: Run, logits: torch.Tensor) -> None:
        """Choose the run's next token and say what it adds; ends the run if it is the last."""
        generation = run.generation
        assert generation is not None
        token = generation.sampler.choose(logits)
        if generation.generated == 0:
            generation.first_token_s = time.perf_counter()
        generation.generated += 1
        if token in self._runner.eos_ids:
            self._finish(run, "stop")
            return
        run.tokens.append(token)
        if text := generation.text.push(token):
            generation.reply.put(Delta(text))
        if generation.text.stopped or generation.sampler.finished:
            self._finish(run, "stop")
        elif generation.generated >= generation.max_new_tokens:
            self._finish(run, "length")

    def _finish(self, run: Run, reason: FinishReason) -> None:
        generation = run.generation
        assert generation is not None
        if reason != "cancelled":
            if text := generation.text.flush():
                generation.reply.put(Delta(text))
            if self._keep_conversation:
                row = self._runner.cache.row(run.row)
                held = run.tokens[run.world_end : run.done]
                self.store.keep_conversation(run.entry, row, held)
        end = generation.end(reason, run.cached)
        self.mean_run_s += 0.1 * (end.total_s - end.queue_s - self.mean_run_s)
        self._release(run)
        self.store.unpin(run.entry)
        generation.reply.put(end)
        _resolve(run, ResidencyError("the request that was building the prefix was cancelled"))

    def _fail(self, run: Run, error: Exception) -> None:
        """End ``run`` with ``error``; everything else goes on."""
        if self._runs.get(run.row) is run:
            self._release(run)
            if run.generation is not None:
                self.store.unpin(run.entry)
        known = error if isinstance(error, (ResidencyError, EngineError)) else None
        if known is None:
            _log.error("%s: computing failed", run.entry.key, exc_info=error)
        if run.generation is not None:
            told = GenerationError(f"{run.entry.key}: generating failed: {error}")
            run.generation.reply.put(error if isinstance(error, EngineError) else told)
        _resolve(run, known if isinstance(known, ResidencyError) else ResidencyError(str(error)))

    def _release(self, run: Run) -> None:
        """Free the run's row and fill the hole with the last decoding row."""
        del self._runs[run.row]
        if run.adapter is not None:
            self.adapters.unpin(run.adapter)
        last = max(
            (r for r in self._runs.values() if r.decoding), key=lambda r: r.row, default=None
        )
        if last is not None and last.row > run.row:
            self._runner.cache.move_row(last.row, run.row, last.done)
            del self._runs[last.row]
            last.row = run.row
            self._runs[last.row] = last


def _resolve(run: Run, error: ResidencyError | None) -> None:
    """Tell those who wait for the prefix."""
    for waiter in run.waiters:
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)
    run.waiters.clear()
