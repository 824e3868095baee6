"""Runner of a mod's handlers: reports slow and failing ones, and blocks nothing else."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from callsheet.mod.mistakes import clean_traceback, shorten
from callsheet.mod.npc import Gate, Npc

__all__ = ["HandlerRunner"]

DEADLINE_S = 5.0
"""Time a handler may run before it is reported; ``on_hear`` has the server's deadline."""


class _Worker:
    """A thread that runs one call after the other, and never keeps the process from ending."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Future[object], Callable[[], object]] | None] = SimpleQueue()
        threading.Thread(target=self._run, name="handlers", daemon=True).start()

    def submit(self, call: Callable[[], object]) -> Future[object]:
        future: Future[object] = Future()
        self._calls.put((future, call))
        return future

    def stop(self) -> None:
        """End after the call that is running now and those before this."""
        self._calls.put(None)

    def _run(self) -> None:
        while (item := self._calls.get()) is not None:
            future, call = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)


class HandlerRunner:
    """Runs handlers of one mod.

    Handlers written with ``async def`` run on the event loop; plain ones run one after the other
    on a thread of their own, so that a slow one never keeps the connection from going on.
    """

    def __init__(self, path: Path, show: Callable[[str], None]) -> None:
        self._path, self._show = path, show
        self._worker = _Worker()

    def restart(self) -> None:
        """Leave behind a plain handler that never ends; the next ones have a new thread."""
        self._worker.stop()
        self._worker = _Worker()

    def close(self) -> None:
        """Start nothing more."""
        self._worker.stop()

    async def run(
        self, npc: Npc, method: str, *arguments: object, deadline_s: float = DEADLINE_S
    ) -> object:
        """Run one handler.

        Returns:
            What it returned; None if it failed, which has been shown to the modder.
        """
        name = f"{type(npc).__name__}.{method} of {npc.npc!r}"
        handler = getattr(npc, method)
        started_s = time.monotonic()
        late = asyncio.get_running_loop().call_later(
            deadline_s, self._show, f"{name} is still running after {deadline_s:g} s"
        )
        try:
            if inspect.iscoroutinefunction(handler):
                result: object = await handler(*arguments)
            else:
                result = await asyncio.wrap_future(
                    self._worker.submit(partial(handler, *arguments))
                )
        except (Exception, SystemExit) as error:
            self.failed(npc, method, arguments, error)
            return None
        finally:
            late.cancel()
            took_s = time.monotonic() - started_s
            if took_s > deadline_s:
                self._show(f"{name} took {took_s:.2f} s; its deadline is {deadline_s:g} s")
        return result

    async def passes(self, npc: Npc, action: str, when: Gate, heard: object) -> bool:
        """Whether an action's ``when`` returns true; one that fails does not."""
        try:
            call = self._worker.submit(partial(when, npc, heard))
            return bool(await asyncio.wrap_future(call))
        except (Exception, SystemExit) as error:
            self.failed(npc, f"{action} (when=)", (heard,), error)
            return False

    def failed(
        self, npc: Npc, method: str, arguments: tuple[object, ...], error: BaseException
    ) -> None:
        """Show the modder what a handler raised, with what it had been given."""
        given = f" (given {', '.join(map(shorten, arguments))})" if arguments else ""
        name = f"{type(npc).__name__}.{method} of {npc.npc!r}"
        self._show(f"{name} failed{given}\n{clean_traceback(error, self._path)}")
