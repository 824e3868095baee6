"""Clients that come before the engine is ready: told how far it is, then let in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from callsheet.wire.codec import encode
from callsheet.wire.errors import CloseCode, ErrorCode, error_for
from callsheet.wire.session import EngineProgress
from callsheet_server.engine.engine import Progress
from callsheet_server.session.connection import hello_timed_out, refuse
from callsheet_server.session.error_message import error_message
from callsheet_server.transport.http import Page
from callsheet_server.transport.outbox import Outbox
from callsheet_server.transport.peer import Receiver

__all__ = ["WaitingRoom"]

TELL_S: Final = 0.5
"""Time between two messages to those who wait."""


class WaitingRoom:
    """Stands between the listener and the server, which is built when its engine has started."""

    def __init__(self, page: Mapping[str, Callable[[], Page]]) -> None:
        """``page``: the files of the live page, which shows how far the engine is."""
        self.pages: dict[str, Callable[[], Page]] = {
            **page,
            "/healthz": lambda: Page(b"ok\n"),
            "/readyz": lambda: Page(
                b"the engine is not ready yet\n", status=HTTPStatus.SERVICE_UNAVAILABLE
            ),
        }
        """Pages for plain HTTP requests, by path."""
        self._opened = asyncio.Event()
        self._progress = EngineProgress(phase="load", done_bytes=0)
        self._waiting: set[_Waiting] = set()
        self._connect: Callable[[Outbox], Receiver] = lambda outbox: _Waiting(self, outbox)
        self._may_observe: Callable[[str | None], bool] = lambda _: False
        self._loop = asyncio.get_running_loop()
        self._telling = asyncio.create_task(self._tell())

    def connect(self, outbox: Outbox) -> Receiver:
        """Take a new connection."""
        return self._connect(outbox)

    def may_observe(self, token: str | None) -> bool:
        """Whether this token, or none, lets one see what goes on in all worlds."""
        return self._may_observe(token)

    def report(self, progress: Progress) -> None:
        """Note how far the engine is. May be called from any thread."""
        told = EngineProgress(phase="load", done_bytes=0)
        if progress.unit == "B":
            told = EngineProgress(
                phase="download",
                done_bytes=progress.done,
                total_bytes=progress.total or None,
            )
        self._loop.call_soon_threadsafe(self._note, told)

    def open(
        self,
        connect: Callable[[Outbox], Receiver],
        pages: Mapping[str, Callable[[], Page]],
        may_observe: Callable[[str | None], bool],
    ) -> None:
        """Let in who waits, and who comes from now on."""
        self._connect, self._may_observe = connect, may_observe
        self.pages.update(pages)
        self._telling.cancel()
        self._opened.set()

    def fail(self, reason: str) -> None:
        """Tell who waits that the engine does not start, and why."""
        error = error_for(ErrorCode.ENGINE_UNAVAILABLE, reason)
        for one in self._waiting:
            one.outbox.send(encode(error_message(error)))
            one.outbox.close(CloseCode.INTERNAL, str(error.code))

    async def close(self) -> None:
        """Tell nobody any more."""
        self._telling.cancel()
        await asyncio.gather(self._telling, return_exceptions=True)

    async def wait(self, one: _Waiting) -> None:
        """Tell a client how far the engine is until the room is opened or the client is gone."""
        if self._opened.is_set():
            return
        self._waiting.add(one)
        one.tell(self._progress)
        ends = [asyncio.create_task(end.wait()) for end in (self._opened, one.outbox.closed)]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting.remove(one)
            for end in ends:
                end.cancel()

    def _note(self, told: EngineProgress) -> None:
        self._progress = told

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_S)
            for one in self._waiting:
                one.tell(self._progress)


class _Waiting:
    """A connection whose first frame is kept until the room is opened."""

    def __init__(self, room: WaitingRoom, outbox: Outbox) -> None:
        self.outbox = outbox
        self._room = room
        self._greeted = False
        self._let_in: Receiver | None = None
        """Receiver of its frames once the room was opened."""

    def tell(self, progress: EngineProgress) -> None:
        self.outbox.send(encode(progress), key=progress.type)

    async def ready(self) -> None:
        if self._let_in is None:
            self._greeted = True
            await self._room.wait(self)
            if self.outbox.closed.is_set():
                return
            self._let_in = self._room.connect(self.outbox)
        await self._let_in.ready()

    def receive(self, frame: str | bytes) -> None:
        if self._let_in is not None:
            self._let_in.receive(frame)

    def refuse(self, problem: str) -> None:
        refuse(self.outbox, error_for(ErrorCode.UNAUTHORIZED, problem))

    def hello_timeout(self, timeout_s: float) -> None:
        if not self._greeted:
            refuse(self.outbox, hello_timed_out(timeout_s))

    def flooded(self, problem: str) -> None:
        if self._let_in is not None:
            self._let_in.flooded(problem)
        else:
            refuse(self.outbox, error_for(ErrorCode.FLOODING, problem))

    def too_large(self, limit_bytes: int) -> bytes:
        if self._let_in is not None:
            return self._let_in.too_large(limit_bytes)
        text = f"a message of more than {limit_bytes} bytes before the server's welcome"
        error = error_for(ErrorCode.MESSAGE_TOO_LARGE, text, limit=limit_bytes)
        refuse(self.outbox, error)
        return encode(error_message(error))

    def lost(self, close_code: int) -> None:
        if self._let_in is not None:
            self._let_in.lost(close_code)
