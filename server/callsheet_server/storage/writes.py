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
    "Forget",
    "ForgetAnswers",
    "LoadSave",
    "MakeSave",
    "OpenRequest",
    "PutAnswer",
    "PutFact",
    "PutNpc",
    "PutPlayer",
    "PutRow",
    "PutSession",
    "PutWorld",
    "RemovePlayer",
    "RemoveSave",
    "Write",
]


@dataclass(frozen=True, slots=True)
class PutWorld:
    """Values that hold for the whole world."""

    name: Literal["config", "counters", "learned"]
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
class Forget:
    """An NPC, or everybody, forgets; what a save holds stays until that is deleted."""

    npc: str | None
    """None = everybody."""
    after_s: float | None
    """Game time; what happened up to then stays. None = nothing stays."""


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
    game_time_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MakeSave:
    """A save of what is remembered now; it takes the place of one of that name."""

    name: str
    time_s: float
    """Game time."""
    saved_at: float
    """Unix time, s."""
    hints: Mapping[str, float]
    """Game times of announced calls, by NPC. The schedules are those on the disk."""


@dataclass(frozen=True, slots=True)
class LoadSave:
    """A return to what a save holds; does nothing if there is none of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class RemoveSave:
    """A save that is deleted."""

    name: str


@dataclass(frozen=True, slots=True)
class PutRow:
    """A row as an export holds it, with the number it had."""

    table: Literal["timelines", "saves", "turns", "notes"]
    values: Mapping[str, Any]
    """All columns but ``crc``, in order."""


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
    | Forget
    | MakeSave
    | LoadSave
    | RemoveSave
    | PutRow
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
