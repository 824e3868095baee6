"""Everything that has a row of the batch, computed one bounded step at a time.

A run keeps its row while it lives, except that the last decoding row is moved into a hole, so that
steps stay narrow. Rows below the last decoding one that are not decoding themselves are computed
along and ignored: what they write lies where their next real token goes.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import torch

from callsheet_residency.errors import ResidencyError
from callsheet_server.engine.embedded.generation import Run
from callsheet_server.engine.engine import Delta, StopReason
from callsheet_server.engine.errors import EngineError, GenerationError

if TYPE_CHECKING:
    from callsheet_server.engine.embedded.adapter_store import AdapterStore
    from callsheet_server.engine.embedded.prefix_entry import PrefixEntry
    from callsheet_server.engine.embedded.prefix_store import PrefixStore
    from callsheet_server.engine.embedded.runner import ModelRunner

__all__ = ["Stepper", "resolve"]

BUILD_EVERY = 4
"""While somebody speaks, the building of prefixes ahead of need gets one step in so many."""

_log = logging.getLogger(__name__)


class Stepper:
    """The running requests and at most one build. Of the model thread."""

    def __init__(
        self,
        runner: ModelRunner,
        store: PrefixStore,
        adapters: AdapterStore,
        *,
        chunk_tokens: int,
        keep_conversation: bool,
    ) -> None:
        self.runs: dict[int, Run] = {}
        """By row."""
        self.mean_run_s = 1.0
        """Running mean of how long a request runs once admitted."""
        self._runner = runner
        self._store = store
        self._adapters = adapters
        self._chunk_tokens = chunk_tokens
        self._keep_conversation = keep_conversation
        self._steps_spoken = 0

    def pin_adapter(self, run: Run) -> bool:
        """Pin its adapter; False = it waits until a running request frees room on the device."""
        return run.adapter is None or self._adapters.pin(run.adapter)

    def admit(self, run: Run) -> None:
        """Give a request a row: that of a build of its prefix, if one is under way."""
        assert run.generation is not None
        run.generation.admitted_s = time.perf_counter()
        self._store.pin(run.entry)
        half_built = self.computing(run.entry)
        if half_built is None or half_built.generation is not None:
            self.take_row(run)
            return
        run.row, run.done, run.cached = half_built.row, half_built.done, half_built.done
        run.world_tried, run.prefix_tried = half_built.world_tried, half_built.prefix_tried
        run.waiters = half_built.waiters
        self.runs[run.row] = run
        if half_built.adapter is not None:
            self._adapters.unpin(half_built.adapter)

    def computing(self, entry: PrefixEntry) -> Run | None:
        """The run that is computing the prefix just now."""
        runs = self.runs.values()
        return next((r for r in runs if r.entry is entry and r.done < r.prefix_end), None)

    def take_row(self, run: Run) -> None:
        """Give ``run`` the lowest free row; there is one."""
        run.row = next(row for row in range(self._runner.rows) if row not in self.runs)
        self.runs[run.row] = run

    def _slot(self, run: Run) -> str | None:
        return None if run.adapter is None else self._adapters.slot(run.adapter)

    def prefill_step(self) -> None:
        """Compute one chunk of the prompt that is most urgent."""
        pending = [run for run in self.runs.values() if not run.decoding]
        if not pending:
            return
        run = min(pending, key=lambda r: (r.generation is None, r.priority, r.serial))
        if run.generation is None and any(r.decoding for r in self.runs.values()):
            self._steps_spoken += 1
            if self._steps_spoken % BUILD_EVERY:
                return
        try:
            self._reuse(run)
            if run.done < len(run.tokens):
                self._prefill_chunk(run)
            if run.generation is None and run.done == len(run.tokens):
                self._release(run)
        except Exception as error:
            self.fail(run, error)

    def _reuse(self, run: Run) -> None:
        """Copy what is held into the row, at the boundaries where that can begin."""
        row = self._runner.cache.row(run.row)
        if not run.world_tried:
            run.world_tried = True
            run.done = run.cached = self._store.fill_row(run.world, row, run.world.prefix)
        if run.done == run.world_end and not run.prefix_tried:
            run.prefix_tried = True
            wanted = run.tokens[run.world_end : max(run.prefix_end, len(run.tokens) - 1)]
            got = self._store.fill_row(run.entry, row, wanted)
            run.done += got
            run.cached += got
            if got:
                resolve(run, None)

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
            self._store.prefill_tokens_per_s += 0.2 * (rate - self._store.prefill_tokens_per_s)
        run.done = end
        row = self._runner.cache.row(run.row)
        if end == run.world_end:
            self._store.commit(run.world, row, make_room=True)
        if end == run.prefix_end:
            make_room = run.generation is not None
            self._store.commit(run.entry, row, run.target, make_room=make_room)
            resolve(run, None)
        if end == len(run.tokens) and run.generation is not None:
            run.decoding = True
            self._accept(run, logits[0])

    def decode_step(self) -> None:
        """Compute one token for everyone whose prompt is done."""
        decoding = [run for run in self.runs.values() if run.decoding]
        if not decoding:
            return
        width = max(run.row for run in decoding) + 1
        tokens, starts = [[0]] * width, [0] * width
        slots: list[str | None] = [None] * width
        for run in self.runs.values():
            if run.row < width:
                starts[run.row] = run.done
                if run.decoding:
                    tokens[run.row] = [run.tokens[-1]]
                    slots[run.row] = self._slot(run)
        try:
            logits = self._runner.forward(slice(0, width), tokens, starts, slots)
        except Exception as error:
            if len(decoding) == 1:
                self.fail(decoding[0], error)
                return
            _log.warning("a step failed (%s); each request is tried by itself", error)
            for run in decoding:
                self._decode_alone(run)
            return
        # All of it before anyone ends: that may move rows.
        rows = [logits[run.row] for run in decoding]
        for run in decoding:
            run.done += 1
        for run, row_logits in zip(decoding, rows, strict=True):
            self._try_accept(run, row_logits)

    def _decode_alone(self, run: Run) -> None:
        """One token for one run: whose state makes a step fail, fails alone."""
        row = slice(run.row, run.row + 1)
        try:
            logits = self._runner.forward(row, [[run.tokens[-1]]], [run.done], [self._slot(run)])
        except Exception as error:
            self.fail(run, error)
        else:
            run.done += 1
            self._try_accept(run, logits[0])

    def _try_accept(self, run: Run, logits: torch.Tensor) -> None:
        try:
            self._accept(run, logits)
        except Exception as error:
            self.fail(run, error)

    def _accept(self, run: Run, logits: torch.Tensor) -> None:
        """Choose the run's next token and say what it adds; ends the run if it is the last."""
        generation = run.generation
        assert generation is not None
        token = generation.sampler.choose(logits)
        if generation.generated == 0:
            generation.first_token_s = time.perf_counter()
        generation.generated += 1
        if token in self._runner.eos_ids:
            self.finish(run, "stop")
            return
        run.tokens.append(token)
        if text := generation.text.push(token):
            generation.reply.put(Delta(text, generation.sampler.take_margin()))
        if generation.text.stopped or generation.sampler.finished:
            self.finish(run, "stop")
        elif generation.generated >= generation.max_new_tokens:
            self.finish(run, "length")

    def finish(self, run: Run, reason: StopReason) -> None:
        """End a request, keeping what may be of use to the next turn."""
        generation = run.generation
        assert generation is not None
        if reason != "cancelled":
            if text := generation.text.flush():
                generation.reply.put(Delta(text, generation.sampler.take_margin()))
            if self._keep_conversation:
                row = self._runner.cache.row(run.row)
                held = run.tokens[run.world_end : run.done]
                self._store.keep_conversation(run.entry, row, held)
        end = generation.end(reason, run.cached)
        self.mean_run_s += 0.1 * (end.total_s - end.queue_s - self.mean_run_s)
        self._release(run)
        self._store.unpin(run.entry)
        generation.reply.put(end)
        resolve(run, ResidencyError("the request that was building the prefix was cancelled"))

    def fail(self, run: Run, error: Exception) -> None:
        """End ``run`` with ``error``; everything else goes on."""
        if self.runs.get(run.row) is run:
            self._release(run)
            if run.generation is not None:
                self._store.unpin(run.entry)
        known = error if isinstance(error, (ResidencyError, EngineError)) else None
        if known is None:
            _log.error("%s: computing failed", run.entry.key, exc_info=error)
        if run.generation is not None:
            told = GenerationError(f"{run.entry.key}: generating failed: {error}")
            run.generation.reply.put(error if isinstance(error, EngineError) else told)
        resolve(run, known if isinstance(known, ResidencyError) else ResidencyError(str(error)))

    def _release(self, run: Run) -> None:
        """Free the run's row and fill the hole with the last decoding row."""
        del self.runs[run.row]
        if run.adapter is not None:
            self._adapters.unpin(run.adapter)
        last = max((r for r in self.runs.values() if r.decoding), key=lambda r: r.row, default=None)
        if last is not None and last.row > run.row:
            self._runner.cache.move_row(last.row, run.row, last.done)
            del self.runs[last.row]
            last.row = run.row
            self.runs[last.row] = last


def resolve(run: Run, error: ResidencyError | None) -> None:
    """Tell those who wait for the prefix."""
    for waiter in run.waiters:
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)
    run.waiters.clear()
