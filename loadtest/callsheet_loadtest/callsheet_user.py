"""Base class of games, mods and observers, over the SDK's blocking client."""

from __future__ import annotations

import contextlib
import itertools
import random
import time
from typing import ClassVar

from gevent.pool import Group
from locust import User

from callsheet._version import __version__
from callsheet.blocking import BlockingClient
from callsheet.core.events import SessionReset, SessionState, StateChanged
from callsheet.core.session import ClientSession
from callsheet.core.settings import ClientSettings
from callsheet.wire.fields import Role
from callsheet.wire.session import ClientInfo, Hello
from callsheet_loadtest.metronome import Metronome
from callsheet_loadtest.plan import LoadPlan

__all__ = ["CallsheetUser"]

SETTINGS = ClientSettings(connect_timeout_s=30, open_timeout_s=30, backoff_max_s=2)


class CallsheetUser(User):
    """A session, its rows in the statistics, and what happens to it in a stampede."""

    abstract = True
    role: ClassVar[Role]
    session_class: ClassVar[type[ClientSession]] = ClientSession
    counter: ClassVar[itertools.count[int]]

    beat: Metronome
    client: BlockingClient
    plan: ClassVar[LoadPlan]
    """Set when the test starts."""
    world_index: int

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.counter = itertools.count()

    def on_start(self) -> None:
        self._stack = contextlib.ExitStack()
        self._talks = Group()
        self._stack.callback(self._talks.kill)
        self._closing = False
        self._lost_at_s: float | None = None
        self._stampedes = self.plan.stampedes
        runner = self.environment.runner
        workers = max(getattr(runner, "worker_count", 1), 1)
        first = max(getattr(runner, "worker_index", 0), 0) + workers * next(self.counter)
        started_s = time.monotonic()
        try:
            self.world_index = self._open(first)
        except Exception as error:
            self.record("session", "connect", started_s, error=error)
            raise
        self.record("session", "connect", started_s)
        self.client.on(self._state_changed, StateChanged)
        self.client.on(self._session_reset, SessionReset)

    def on_stop(self) -> None:
        self._closing = True
        self._stack.close()

    def wait_time(self) -> float:
        return self.beat.advance(time.monotonic())

    def _open(self, index: int) -> int:
        """Join the world of this index; return the index."""
        session = self._new_session(self.plan.world(index))
        self.client = self._stack.enter_context(BlockingClient(session))
        return index

    def _new_session(self, world: str) -> ClientSession:
        hello = Hello(
            role=self.role,
            world=world,
            client=ClientInfo(name="callsheet-loadtest", version=__version__),
            token=self.plan.token,
        )
        return self.session_class(hello, SETTINGS, random.random, self.plan.url)

    def record(
        self, kind: str, name: str, started_s: float, *, error: Exception | None = None
    ) -> None:
        """Add to the row ``kind name``: a request that began at ``started_s``."""
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=(time.monotonic() - started_s) * 1e3,
            response_length=0,
            exception=error,
            context={},
        )

    def stampede(self) -> None:
        """Drop the connection if everybody is to do so now."""
        if self.plan.stampedes > self._stampedes:
            self._stampedes = self.plan.stampedes
            self._lost_at_s = time.monotonic()
            self.client.drop_connection()

    # From the client's thread.

    def _state_changed(self, event: StateChanged) -> None:
        if self._closing:
            return
        now_s = time.monotonic()
        if event.state is SessionState.DISCONNECTED and self._lost_at_s is None:
            self._lost_at_s = now_s
            self.record("session", "lost", now_s, error=ConnectionError(event.reason))
        elif event.state is SessionState.OPEN and self._lost_at_s is not None:
            self.record("session", "reconnect", self._lost_at_s)
            self._lost_at_s = None
        elif event.state is SessionState.CLOSED:
            self.record("session", "dropped", now_s, error=ConnectionError(event.reason))

    def _session_reset(self, event: SessionReset) -> None:
        error = ConnectionError("the session could not be resumed")
        self.record("session", "dropped", time.monotonic(), error=error)
