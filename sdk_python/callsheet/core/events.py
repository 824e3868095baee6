"""Events of a session and their listeners.

An event is a message of the server as it came, or one of the two that are born here.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

from callsheet.core.errors import EventOverflowError
from callsheet.wire.base import ServerMessage
from callsheet.wire.session import Error

__all__ = ["Event", "EventFeed", "EventHub", "SessionReset", "SessionState", "StateChanged"]

logger: logging.Logger = logging.getLogger("callsheet")


class SessionState(StrEnum):
    """States of a client session."""

    DISCONNECTED = "disconnected"
    """No connection; another attempt follows."""
    CONNECTING = "connecting"
    """A socket is being opened."""
    OPENING = "opening"
    """``hello`` is out, for a new session."""
    RESUMING = "resuming"
    """``hello`` is out, for the session that was lost."""
    OPEN = "open"
    DRAINING = "draining"
    """The connection is about to end; nothing new may be asked."""
    CLOSED = "closed"
    """The end. ``ClientSession.error`` says why, if it was not asked for."""


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The session went to another state."""

    previous: SessionState
    state: SessionState
    reason: str
    retry_in_s: float | None = None
    """Seconds until the next attempt, in ``DISCONNECTED``."""


@dataclass(frozen=True, slots=True)
class SessionReset:
    """The earlier session is gone and a new, empty one is open.

    Requests that were open have failed with ``SessionLostError``. A game configures and spawns
    again; a mod registers its scripts again; whoever subscribed does so again.
    """

    session: str


Event = ServerMessage | StateChanged | SessionReset
E_ = TypeVar("E_")


class EventHub:
    """Callbacks by event type. A type also stands for its subclasses, ``object`` for all."""

    def __init__(self) -> None:
        self._listeners: dict[object, tuple[tuple[type, ...], Callable[[Any], None]]] = {}
        self._logged: set[str] = set()

    def on(self, types: tuple[type[E_], ...], listener: Callable[[E_], None]) -> Callable[[], None]:
        """Call ``listener`` with every event of these types. Returns what ends that."""
        key = object()
        self._listeners[key] = (types, listener)

        def off() -> None:
            self._listeners.pop(key, None)

        return off

    def emit(self, event: object) -> None:
        """Tell everybody. A listener that raises is logged and does not disturb the others.

        An error that answers no request and that nobody listens to is logged, once for each code.
        """
        heard = False
        for types, listener in list(self._listeners.values()):
            if isinstance(event, types):
                heard = True
                try:
                    listener(event)
                except Exception:
                    logger.exception("a listener failed on %s", type(event).__name__)
        if isinstance(event, Error) and event.id is None and not heard:
            if event.code not in self._logged:
                logger.warning("the server says %s: %s", event.code, event.message)
            self._logged.add(event.code)


class EventFeed(Generic[E_]):
    """A queue of the events of some types, for an iterator; use it as a context manager."""

    def __init__(self, hub: EventHub, types: tuple[type[E_], ...], max_queued: int) -> None:
        self.queue: deque[E_] = deque()
        self.ended: bool = False
        """Whether the session is closed: nothing more will come."""
        self.changed: Callable[[], None] = lambda: None
        """Called after every change; the adapter's way to wake who waits."""
        self._max_queued = max_queued
        self._ends = [hub.on(types, self._put), hub.on((StateChanged,), self._state_changed)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for end in self._ends:
            end()

    def take(self) -> E_:
        """The oldest event.

        Raises:
            EventOverflowError: there were more than ``max_queued`` events; newer ones were lost.
        """
        if len(self.queue) > self._max_queued:
            raise EventOverflowError(
                f"more than {self._max_queued} events were waiting to be read; read them faster or "
                "raise ClientSettings.max_queued_events"
            )
        return self.queue.popleft()

    def _put(self, event: E_) -> None:
        if len(self.queue) <= self._max_queued:
            self.queue.append(event)
            self.changed()

    def _state_changed(self, event: StateChanged) -> None:
        if event.state is SessionState.CLOSED:
            self.ended = True
            self.changed()
