"""Calls about what NPCs remember: saves, loads, and what is to be forgotten."""

from __future__ import annotations

from collections.abc import Iterable

from callsheet.core.calls import Call, ask, several
from callsheet.core.session import ClientSession
from callsheet.wire.saves import (
    DeleteSave,
    Forget,
    ListSaves,
    Load,
    Loaded,
    Save,
    Saved,
    Saves,
    SaveView,
)

__all__ = ["delete_save", "forget", "list_saves", "load", "save"]


def save(session: ClientSession, name: str) -> Call[Saved]:
    """``save``."""
    answer = yield from ask(session, Save(id=session.next_id(), name=name))
    assert isinstance(answer, Saved)
    return answer


def load(session: ClientSession, name: str) -> Call[Loaded]:
    """``load``."""
    answer = yield from ask(session, Load(id=session.next_id(), name=name))
    assert isinstance(answer, Loaded)
    return answer


def delete_save(session: ClientSession, name: str) -> Call[None]:
    """``delete_save``."""
    yield from ask(session, DeleteSave(id=session.next_id(), name=name))


def list_saves(session: ClientSession) -> Call[tuple[SaveView, ...]]:
    """``list_saves``."""
    answer = yield from ask(session, ListSaves(id=session.next_id()))
    assert isinstance(answer, Saves)
    return tuple(answer.saves)


def forget(session: ClientSession, npcs: Iterable[str] | None, after_s: float | None) -> Call[None]:
    """``forget``."""
    names = None if npcs is None else several("npcs", npcs, str)
    yield from ask(session, Forget(id=session.next_id(), npcs=names, after_s=after_s))
