"""A client's session: entered, listened to, left."""

# Generated from client/session.py by sdk_python/tools/generate_blocking.py; do not edit.

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from callsheet.core.events import Event, EventFeed, SessionState
from callsheet.core.session import ClientSession
from callsheet.drivers.threads import ThreadsDriver
from callsheet.wire.base import ClientMessage
from callsheet.wire.session import Welcome

__all__ = ["SessionClient"]

E = TypeVar("E", bound=Event)


class SessionClient:
    """One session, kept open over as many connections as it takes."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._driver = ThreadsDriver(session)

    def __enter__(self) -> Self:
        try:
            self._driver.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session for good: what is queued is sent, open requests fail."""
        self._driver.close()

    def drop_connection(self) -> None:
        """Cut the connection as a failing network would, to test a game; the session resumes."""
        self._driver.drop_connection()

    @property
    def state(self) -> SessionState:
        """State of the session; ``on(callback, StateChanged)`` tells of changes."""
        return self._session.state

    @property
    def welcome(self) -> Welcome:
        """The server's welcome when the session opened: limits, engine, versions."""
        return self._session.opened()

    @property
    def clock_offset_s(self) -> float | None:
        """Server clock minus ``time.monotonic()`` here; None before the first heartbeat."""
        return self._session.clock.offset_s

    def on(self, callback: Callable[[E], None], *types: type[E]) -> Callable[[], None]:
        """Call back with every event of these types, from the client's thread.

        Returns:
            A function that ends it.
        """
        with self._driver.changing():
            return self._session.events.on(types, callback)

    def events(self, *types: type[E]) -> Iterator[E]:
        """The events of these types from the first ``next`` on, until the session is closed.

        Raises:
            EventOverflowError: more than ``max_queued_events`` were waiting to be read.
        """
        with self._driver.changing():
            max_queued = self._session.settings.max_queued_events
            feed = EventFeed(self._session.events, types, max_queued)
        wait = self._driver.waiter(feed, math.inf)
        with feed:
            while True:
                wait(lambda: bool(feed.queue) or feed.ended)
                if not feed.queue:
                    return
                yield feed.take()

    def send(self, message: ClientMessage) -> None:
        """Send a message that has no answer; it may be lost with the connection."""
        with self._driver.changing():
            self._driver.room()
            self._session.send(message)
