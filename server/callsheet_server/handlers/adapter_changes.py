"""Adapters that sessions add, update and remove while the engine runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from callsheet.wire.adapters import Adapters, AdapterView, ListAdapters, RemoveAdapter, SetAdapter
from callsheet.wire.errors import CallsheetError
from callsheet.wire.session import Ok
from callsheet_server.engine.engine import AdaptersChange, Engine
from callsheet_server.engine.errors import (
    EngineError,
    EngineUnavailableError,
    UnknownAdapterError,
)
from callsheet_server.outgoing.errors import from_engine
from callsheet_server.session.session import Session
from callsheet_server.world.errors import bad_value

__all__ = ["AdapterChanges"]


class AdapterChanges:
    """Passes changes on to the engine, and answers once they are made."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def list(self, message: ListAdapters) -> Adapters:
        """Answer with the adapters that NPCs may have.

        Raises:
            CallsheetError: ``bad_value``.
        """
        views = [
            AdapterView(adapter=use.adapter, folder=use.folder, npcs=use.npcs)
            for use in self._changing().adapters_in_use()
        ]
        return Adapters(id=message.id, adapters=tuple(views))

    def set(self, session: Session, message: SetAdapter) -> None:
        """Add or update one.

        Raises:
            CallsheetError: ``bad_value``; what the engine finds later is told to the session.
        """
        work = self._changing().set_adapter(message.adapter, message.folder, update=message.update)
        self._run(session, message, work)

    def remove(self, session: Session, message: RemoveAdapter) -> None:
        """Remove one; raises as ``set`` does."""
        work = self._changing().remove_adapter(message.adapter)
        self._run(session, message, work)

    def _changing(self) -> AdaptersChange:
        if not isinstance(self._engine, AdaptersChange):
            name = self._engine.info.name
            raise bad_value(
                f"adapters of the engine {name} cannot change while it runs", "type", name
            )
        return self._engine

    def _run(
        self,
        session: Session,
        message: SetAdapter | RemoveAdapter,
        work: Coroutine[Any, Any, None],
    ) -> None:
        async def change() -> None:
            try:
                await work
            except EngineError as error:
                told = _told(error, message.adapter)
                told.request_id = message.id
                session.fail(told, self._clock(), session.read_bytes)
            else:
                session.answer(Ok(id=message.id), message.id)

        task = asyncio.create_task(change())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _told(error: EngineError, adapter: str) -> CallsheetError:
    if isinstance(error, UnknownAdapterError | EngineUnavailableError):
        return from_engine(error)
    return bad_value(str(error), "adapter", f'"{adapter}"')
