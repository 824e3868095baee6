"""Everything that is ever written into a world's database, as values of the domain.

Immutable: the writer's threads turn them into SQL (``statements.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from callsheet.wire.world import NpcSpec, PlayerSpec

__all__ = [
    "AddTurn",
    "CloseRequest",
    "CloseRequests",
    "EmptyWorld",
    "EndSession",
    "ForgetAnswers",
    "ForgetNpc",
    "OpenRequest",
    "PutAnswer",
    "PutFact",
    "PutNpc",
    "PutPlayer",
    "PutSession",
    "PutWorld",
    "RemovePlayer",
    "Write",
]


@dataclass(frozen=True, slots=True)
class PutWorld:
    """Values that hold for the whole world."""

    name: Literal["config", "counters"]
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EmptyWorld:
    """The game left: nobody lives there now. What the NPCs remember stays."""


@dataclass(frozen=True, slots=True)
class PutNpc:
    """An NPC as it is now, new or changed."""

    spec: NpcSpec
    handle: int
    hint_s: float | None
    """Game time of the call the game announced; None = none."""
    alive: bool = True


@dataclass(frozen=True, slots=True)
class ForgetNpc:
    """All that an NPC remembers is gone for good."""

    npc: str


@dataclass(frozen=True, slots=True)
class PutPlayer:
    """A player as it is now, new or changed."""

    spec: PlayerSpec
    handle: int


@dataclass(frozen=True, slots=True)
class RemovePlayer:
    """A player who left."""

    player: str


@dataclass(frozen=True, slots=True)
class AddTurn:
    """A line an NPC heard, or said if ``speaker`` is None."""

    npc: str
    speaker: str | None
    text: str
    game_time_s: float


@dataclass(frozen=True, slots=True)
class PutFact:
    """A fact about an NPC; ``value`` None takes it away."""

    npc: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class PutSession:
    """A game's session, to be resumed after a restart."""

    session: str
    tokens: bytes
    """The hashes of what resumes it, one after the other."""
    last_request_id: int


@dataclass(frozen=True, slots=True)
class EndSession:
    """A session that cannot be resumed any more, with all that was kept for it."""

    session: str


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that is answered later."""

    session: str
    request: int


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """A request that has its answer."""

    session: str
    request: int


@dataclass(frozen=True, slots=True)
class CloseRequests:
    """All requests of a session have their answers."""

    session: str


@dataclass(frozen=True, slots=True)
class PutAnswer:
    """An answer kept until the client has acked it."""

    session: str
    seq: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class ForgetAnswers:
    """The client has acked all answers up to ``up_to_seq``."""

    session: str
    up_to_seq: int


Write = (
    PutWorld
    | EmptyWorld
    | PutNpc
    | ForgetNpc
    | PutPlayer
    | RemovePlayer
    | AddTurn
    | PutFact
    | PutSession
    | EndSession
    | OpenRequest
    | CloseRequest
    | CloseRequests
    | PutAnswer
    | ForgetAnswers
)
