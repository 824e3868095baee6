"""Driver of a session with threads: one, and one more for every connection."""

from __future__ import annotations

import contextlib
import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import TypeVar

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_socket
from websockets.typing import Subprotocol

from callsheet.core.calls import Call
from callsheet.core.events import SessionState
from callsheet.core.session import CONNECTED, ClientSession
from callsheet.drivers.answered import refused_handshake
from callsheet.drivers.tls import tls_context
from callsheet.wire.fields import SUBPROTOCOL

__all__ = ["ThreadsDriver"]

logger: logging.Logger = logging.getLogger("callsheet")

T = TypeVar("T")

POLL_S = 0.25
"""Longest delay in noticing a deadline that was set while the socket was being read."""


class ThreadsDriver:
    """Does for one session what ``ClientSession`` asks of an adapter."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._changed = threading.Condition(threading.RLock())
        self._thread = threading.Thread(target=self._run, name="callsheet session", daemon=True)
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Connect; return when the session is open. Raises why it could not be opened."""
        with self.changing():
            self._session.start(time.monotonic())
        self._thread.start()
        self.wait(lambda: self._session.welcome is not None or self._over, math.inf)
        with self.changing():
            self._session.check_open()

    def close(self) -> None:
        """End the session for good."""
        with self.changing():
            self._session.close(time.monotonic())
        if self._thread.is_alive():
            self._thread.join()

    def drop_connection(self) -> None:
        """Cut the connection under the session."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    @property
    def _over(self) -> bool:
        return self._session.state is SessionState.CLOSED

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the session; afterwards everyone who waits looks again."""
        with self._changed:
            yield
            self._changed.notify_all()

    def wait(self, ready: Callable[[], bool], timeout_s: float | None = None) -> None:
        """Wait until ``ready``.

        Raises:
            TimeoutError: it took too long.
            RuntimeError: a callback would wait for what its own thread has to bring.
        """
        wait_s = self._session.settings.request_timeout_s if timeout_s is None else timeout_s
        with self._changed:
            if not ready():
                self._check_thread()
            if not self._changed.wait_for(ready, None if wait_s == math.inf else wait_s):
                raise TimeoutError(f"no answer within {wait_s:g} s")

    def _check_thread(self) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "a callback runs on the client's own thread and may not wait for the server: note "
                "what came and ask from another thread, or use callsheet.frames"
            )

    def waiter(
        self, waited: object, timeout_s: float | None = None
    ) -> Callable[[Callable[[], bool]], None]:
        """Return what waits until something holds of ``waited``, as ``wait`` does."""
        return partial(self.wait, timeout_s=timeout_s)

    def room(self) -> None:
        """Wait until one more message can be queued."""
        self.wait(lambda: self._session.has_room or self._over)

    def aside(self, work: Callable[[], None]) -> None:
        """Run work of the user's on a thread of its own."""
        threading.Thread(
            target=self._work, args=(work,), name="callsheet work", daemon=True
        ).start()

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            logger.warning("%s: %s", type(error).__name__, error)

    def finished(self, value: object) -> object:
        """Return what a function of the user's gave; without asyncio there is nothing to wait for.

        Raises:
            TypeError: the function is ``async def``.
        """
        if isinstance(value, Coroutine):
            value.close()
            raise TypeError("an async function needs the asyncio client (callsheet.connect)")
        return value

    def call(self, call: Call[T]) -> T:
        """Carry out a call. Raises as ``wait`` does."""
        self._check_thread()
        try:
            while True:
                with self.changing():
                    self.room()
                    pending = next(call)
                self.wait(lambda: pending.done)  # noqa: B023  called before pending changes
        except StopIteration as returned:
            value: T = returned.value
            return value

    def _run(self) -> None:
        """Follow the session's state: open a socket when it wants one, wait when it waits."""
        try:
            while not self._over:
                if self._session.state is SessionState.CONNECTING:
                    self._connection()
                else:
                    with self.changing():
                        self._changed.wait(self._until_deadline_s())
                        self._session.advance(time.monotonic())
        except Exception as error:
            logger.exception("the session ends by a mistake in the SDK")
            with self.changing():
                self._session.abort(error)

    def _connection(self) -> None:
        """One connection, from opening the socket to its end."""
        settings = self._session.settings
        with contextlib.ExitStack() as stack:
            try:
                connection = stack.enter_context(
                    open_socket(
                        self._session.url,
                        subprotocols=[Subprotocol(SUBPROTOCOL)],
                        compression=None,
                        proxy=None,
                        max_size=None,
                        open_timeout=settings.open_timeout_s,
                        ping_interval=None,
                        close_timeout=settings.close_timeout_s,
                        ssl=tls_context(self._session.url, settings),
                    )
                )
            except (OSError, TimeoutError, WebSocketException) as error:
                trouble = str(error) or type(error).__name__
                refused = refused_handshake(self._session.url, error)
                with self.changing():
                    if refused is not None and self._session.welcome is None:
                        self._session.abort(refused)
                        return
                    self._session.disconnected(time.monotonic(), None, trouble)
            else:
                self._use(connection)

    def _use(self, connection: ClientConnection) -> None:
        self._socket = connection.socket
        with self.changing():
            self._session.connected(time.monotonic())
        writer = threading.Thread(
            target=self._write, args=(connection,), name="callsheet writer", daemon=True
        )
        writer.start()
        with contextlib.suppress(ConnectionClosed):
            while self._session.state in CONNECTED:
                frame = None
                with contextlib.suppress(TimeoutError):
                    frame = connection.recv(min(self._until_deadline_s() or 0.0, POLL_S))
                with self.changing():
                    if frame is not None:
                        self._session.receive(frame, time.monotonic())
                    self._session.advance(time.monotonic())
        with contextlib.suppress(OSError):
            # Unlike close(), this also frees a writer that is stuck in a dead connection.
            connection.socket.shutdown(socket.SHUT_RDWR)
        with self.changing():
            self._session.disconnected(
                time.monotonic(), connection.close_code, connection.close_reason or ""
            )
        writer.join()

    def _write(self, connection: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while self._session.state in CONNECTED:
                with self._changed:
                    frame = self._session.next_frame()
                    if frame is None:
                        self._changed.wait()
                        continue
                    self._changed.notify_all()
                connection.send(frame)

    def _until_deadline_s(self) -> float | None:
        deadline_s = self._session.next_deadline_s
        return None if deadline_s is None else max(deadline_s - time.monotonic(), 0.0)
