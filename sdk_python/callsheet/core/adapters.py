"""Calls about LoRA adapters that come, change and go while the engine runs."""

from __future__ import annotations

from callsheet.core.calls import Call, ask
from callsheet.core.session import ClientSession
from callsheet.wire.adapters import (
    Adapters,
    AdapterView,
    ListAdapters,
    RemoveAdapter,
    SetAdapter,
)

__all__ = ["list_adapters", "remove_adapter", "set_adapter"]


def set_adapter(session: ClientSession, adapter: str, folder: str, update: bool) -> Call[None]:
    """``set_adapter``."""
    message = SetAdapter(id=session.next_id(), adapter=adapter, folder=folder, update=update)
    yield from ask(session, message)


def remove_adapter(session: ClientSession, adapter: str) -> Call[None]:
    """``remove_adapter``."""
    yield from ask(session, RemoveAdapter(id=session.next_id(), adapter=adapter))


def list_adapters(session: ClientSession) -> Call[tuple[AdapterView, ...]]:
    """``list_adapters``."""
    answer = yield from ask(session, ListAdapters(id=session.next_id()))
    assert isinstance(answer, Adapters)
    return tuple(answer.adapters)
