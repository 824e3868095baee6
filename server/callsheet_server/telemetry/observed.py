"""The server as telemetry sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from callsheet_server.engine.engine import Engine
from callsheet_server.engine.mover import Mover
from callsheet_server.rooms.room import Room
from callsheet_server.session.quota import QuotaBook
from callsheet_server.session.registry import SessionRegistry
from callsheet_server.storage.storage import Storage
from callsheet_server.talk.answering import Answerer
from callsheet_server.talk.moderation import Moderator
from callsheet_server.talk.recall import Retriever

__all__ = ["DroppedFrames", "ObservedServer"]


class DroppedFrames(Protocol):
    """A count that connections keep."""

    @property
    def dropped_frames(self) -> int:
        """Unreliable frames dropped so far because their readers were too slow."""


class ObservedServer(Protocol):
    """Parts that metrics are read off when somebody asks for them."""

    engine: Engine
    storage: Storage
    moderator: Moderator
    sessions: SessionRegistry
    quotas: QuotaBook
    answerer: Answerer
    retriever: Retriever
    mover: Mover
    draining: bool
    housekeeping_failures: int

    @property
    def rooms(self) -> Mapping[str, Room]: ...

    @property
    def connections(self) -> DroppedFrames: ...
