"""Driver of a session with asyncio: one task, and two more for every connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Protocol, TypeVar

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from callsheet.core.calls import Call
from callsheet.core.events import SessionState, StateChanged
from callsheet.core.session import CONNECTED, ClientSession
from callsheet.drivers.answered import refused_handshake
from callsheet.drivers.tls import tls_context
from callsheet.wire.fields import SUBPROTOCOL

__all__ = ["AsyncioDriver", "Waited", "Waiter"]

logger: logging.Logger = logging.getLogger("callsheet")

T = TypeVar("T")


class Waited(Protocol):
    """Something that tells when it has changed."""

    changed: Callable[[], None]


Waiter = Callable[[Callable[[], bool]], Awaitable[None]]


class AsyncioDriver:
    """Does for one session what ``ClientSession`` asks of an adapter."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._outgoing, self._progress, self._due = (asyncio.Event() for _ in range(3))
        self._sleeps_until_s = math.inf
        self._task: asyncio.Task[None] | None = None
        self._socket: ClientConnection | None = None
        self._aside: set[asyncio.Task[None]] = set()
        session.events.on((StateChanged,), self._state_changed)

    async def start(self) -> None:
        """Connect; return when the session is open. Raises why it could not be opened."""
        self._session.start(time.monotonic())
        self._task = asyncio.create_task(self._run(), name="callsheet session")
        while self._session.welcome is None:
            self._session.check_open()
            await _change(self._progress)

    async def close(self) -> None:
        """End the session for good."""
        connecting = self._session.state is SessionState.CONNECTING
        self._session.close(time.monotonic())
        if self._task:
            if connecting:
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        aside = self._aside - {asyncio.current_task()}
        for task in aside:
            task.cancel()
        await asyncio.gather(*aside, return_exceptions=True)

    def drop_connection(self) -> None:
        """Cut the connection under the session."""
        if self._socket is not None:
            self._socket.transport.abort()

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Change the session; afterwards what was queued is sent."""
        yield
        self._outgoing.set()

    def waiter(self, waited: Waited, timeout_s: float | None = None) -> Waiter:
        """Return what waits until something holds of ``waited``; there is no limit of time."""
        changed = asyncio.Event()
        waited.changed = changed.set

        async def wait(ready: Callable[[], bool]) -> None:
            while not ready():
                await _change(changed)

        return wait

    def _state_changed(self, event: StateChanged) -> None:
        for waited_for in (self._outgoing, self._due, self._progress):
            waited_for.set()

    async def room(self) -> None:
        """Wait until one more message can be queued."""
        while not self._session.has_room and self._session.state is not SessionState.CLOSED:
            await _change(self._progress)

    def aside(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Run work of the user's beside the session, until it is closed."""
        task = asyncio.get_running_loop().create_task(work())
        self._aside.add(task)
        task.add_done_callback(self._aside_ended)

    def _aside_ended(self, task: asyncio.Task[None]) -> None:
        self._aside.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.warning("%s: %s", type(error).__name__, error)

    async def finished(self, value: object) -> object:
        """Wait for what a function of the user's gives in the end."""
        return await value if isinstance(value, Awaitable) else value

    async def call(self, call: Call[T]) -> T:
        """Carry out a call."""
        await self.room()
        try:
            pending = next(call)
            while True:
                self._outgoing.set()
                await self.waiter(pending)(lambda: pending.done)  # noqa: B023  called at once
                await self.room()
                pending = next(call)
        except StopIteration as returned:
            value: T = returned.value
            return value

    async def _run(self) -> None:
        """Follow the session's state: open a socket when it wants one, wait when it waits."""
        try:
            while self._session.state is not SessionState.CLOSED:
                if self._session.state is SessionState.CONNECTING:
                    await self._connection()
                else:
                    await self._until_due()
        except Exception as error:
            logger.exception("the session ends by a mistake in the SDK")
            self._session.abort(error)

    async def _connection(self) -> None:
        """One connection, from opening the socket to its end."""
        settings = self._session.settings
        try:
            tls = await asyncio.to_thread(tls_context, self._session.url, settings)
            socket = await open_socket(
                self._session.url,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,
                proxy=None,
                max_size=None,
                open_timeout=settings.open_timeout_s,
                ping_interval=None,
                close_timeout=settings.close_timeout_s,
                ssl=tls,
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            refused = refused_handshake(self._session.url, error)
            if refused is not None and self._session.welcome is None:
                self._session.abort(refused)
                return
            self._session.disconnected(time.monotonic(), None, str(error) or type(error).__name__)
            return
        self._socket = socket
        self._session.connected(time.monotonic())
        tasks = [asyncio.create_task(run(socket)) for run in (self._keep, self._write)]
        with contextlib.suppress(ConnectionClosed):
            async for frame in socket:
                self._session.receive(frame, time.monotonic())
                self._outgoing.set()
                if (self._session.next_deadline_s or 0.0) < self._sleeps_until_s:
                    self._due.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._session.disconnected(time.monotonic(), socket.close_code, socket.close_reason or "")

    async def _keep(self, socket: ClientConnection) -> None:
        """Let time pass for the session; hang up when it has given the connection up.

        Without a closing handshake: its code would end the session for good, and who gave a silent
        connection up need not wait for an answer.
        """
        while self._session.state in CONNECTED:
            await self._until_due()
            self._outgoing.set()
        socket.transport.abort()

    async def _write(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                while (frame := self._session.next_frame()) is not None:
                    await socket.send(frame)
                    self._progress.set()
                await _change(self._outgoing)

    async def _until_due(self) -> None:
        """Wait for the session's next deadline, or an earlier one, and let it do what is due."""
        deadline_s = self._session.next_deadline_s
        self._sleeps_until_s = math.inf if deadline_s is None else deadline_s
        wait_s = None if deadline_s is None else max(deadline_s - time.monotonic(), 0.0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await _change(self._due)
        self._session.advance(time.monotonic())


async def _change(event: asyncio.Event) -> None:
    """Wait for the next ``set``; every waiter is woken."""
    event.clear()
    await event.wait()
