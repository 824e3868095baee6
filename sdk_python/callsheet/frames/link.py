"""A session in a thread of its own: it takes work and gives events, and makes nobody wait."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from callsheet.client.client import Client, connect
from callsheet.core.errors import ConnectFailedError
from callsheet.core.events import Event, SessionReset, SessionState, StateChanged
from callsheet.core.settings import ClientSettings
from callsheet.frames.events import Answered, Connected, Placed, ServerAbsent, Trouble
from callsheet.wire.base import ServerMessage
from callsheet.wire.errors import CallsheetError

__all__ = ["Link", "Told", "Work"]

Told = Event | Connected | ServerAbsent | Trouble | Placed | Answered
Work = Callable[[Client], Coroutine[Any, Any, Placed | Answered | None]]
AWAY: Final = (SessionState.DISCONNECTED, SessionState.CLOSED)


class Link:
    """Runs an asyncio client in a thread. Its methods are for the game's thread; none waits."""

    def __init__(
        self, url: str, world: str, token: str | None, settings: ClientSettings | None
    ) -> None:
        self._connect: Callable[[], Client] = partial(
            connect, url, role="game", world=world, token=token, name="frames", settings=settings
        )
        self._connect()  # what is wrong with the arguments is told here and not in the thread
        self._told: deque[Told] = deque()
        self._is_there: bool | None = None
        self._client: Client | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="callsheet frames", daemon=True)
        self._thread.start()

    def take(self) -> list[Told]:
        """Return what was told since the last call, oldest first."""
        told: list[Told] = []
        with contextlib.suppress(IndexError):
            while True:
                told.append(self._told.popleft())
        return told

    def do(
        self, work: Work, npc: str | None = None, done: Callable[[], None] | None = None
    ) -> None:
        """Have something done with the session; what goes wrong is told as ``Trouble``.

        Args:
            work: run in the other thread; what it returns is told.
            npc: the NPC that it is about.
            done: called in the other thread when it has ended, however.
        """
        if not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # closed a moment ago
                self._loop.call_soon_threadsafe(self._begin, work, npc, done)

    def close(self, wait_s: float) -> None:
        """End the session; wait for its goodbye for so long."""
        self._closing.set()
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(wait_s)

    # --- in the other thread -----------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        """Keep a session until the link is closed, or the server refuses it for good."""
        stopped = asyncio.create_task(self._stop.wait())
        while not self._closing.is_set():
            client = self._connect()
            client.on(self._hear, ServerMessage, StateChanged, SessionReset)
            entering = asyncio.create_task(client.__aenter__())
            await asyncio.wait((entering, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not entering.done():
                entering.cancel()
            try:
                await entering
            except asyncio.CancelledError:
                break
            except ConnectFailedError as error:
                self._absent(str(error))
                continue
            except CallsheetError as error:
                self._told.append(Trouble(str(error)))
                break
            self._client = client
            self._present(SessionReset(client.welcome.session))
            await stopped
            self._client = None
            await client.close()
        stopped.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(stopped, *self._tasks, return_exceptions=True)

    def _hear(self, event: Event) -> None:
        match event:
            case StateChanged(state=state, reason=reason) if state in AWAY:
                if not self._closing.is_set():
                    self._absent(reason)
            case StateChanged(state=SessionState.OPEN) if self._client is not None:
                self._present()
            case StateChanged():
                pass
            case _:
                self._told.append(event)

    def _absent(self, reason: str) -> None:
        if self._is_there is not False:
            self._told.append(ServerAbsent(reason))
        self._is_there = False

    def _present(self, *more: Told) -> None:
        if not self._is_there:
            self._told.append(Connected())
        self._is_there = True
        self._told.extend(more)

    def _begin(self, work: Work, npc: str | None, done: Callable[[], None] | None) -> None:
        task = self._loop.create_task(self._do(work, npc, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, work: Work, npc: str | None, done: Callable[[], None] | None) -> None:
        try:
            if self._client is None:
                self._told.append(Trouble("the server is not there", npc))
            elif (made := await work(self._client)) is not None:
                self._told.append(made)
        except (CallsheetError, ConnectionError) as error:
            self._told.append(Trouble(str(error), npc))
        finally:
            if done is not None:
                done()
