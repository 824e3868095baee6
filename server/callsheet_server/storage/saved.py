"""Contents of a world's database, as read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from callsheet.wire.world import NpcSpec, PlayerSpec

__all__ = [
    "Restored",
    "Save",
    "SavedNpc",
    "SavedPlayer",
    "SavedSession",
    "SavedTurn",
    "SavedWorld",
]


@dataclass(frozen=True, slots=True)
class SavedTurn:
    """One thing said; ``speaker`` is None for the NPC's own."""

    speaker: str | None
    text: str
    game_time_s: float


@dataclass(frozen=True, slots=True)
class Save:
    """A point that a game can go back to."""

    name: str
    time_s: float
    """Game time."""
    saved_at: float
    """Unix time, s."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Memories and schedules that a load has brought back."""

    facts: Mapping[str, Mapping[str, Any]]
    """Facts of the NPCs who may remember something else now, all of those."""
    schedules: Mapping[str, Sequence[Mapping[str, Any]]]
    """Of each NPC that was in the world when the save was made."""
    hints: Mapping[str, float]
    """Game times of announced calls, by NPC."""


@dataclass(frozen=True, slots=True)
class SavedNpc:
    spec: NpcSpec
    handle: int
    alive: bool
    """False: gone; its handle must not be given out again soon."""
    hint_s: float | None


@dataclass(frozen=True, slots=True)
class SavedPlayer:
    spec: PlayerSpec
    handle: int


@dataclass(frozen=True, slots=True)
class SavedSession:
    """A game's session, to be resumed."""

    session: str
    tokens: bytes
    """The hashes of what resumes it, one after the other."""
    last_request_id: int
    answers: Sequence[tuple[int, bytes]]
    """``seq`` and frame of every answer that was not acked, in order."""
    open_requests: Sequence[int]
    """Requests taken, and not answered when the server died."""


@dataclass(frozen=True, slots=True)
class SavedWorld:
    """A world on disk; without sessions, no game can come back and only its saves are told."""

    name: str
    saves: Sequence[Save]
    """The oldest first."""
    config: Mapping[str, Any] = field(default_factory=dict)
    counters: Mapping[str, Any] = field(default_factory=dict)
    learned: Mapping[str, Any] = field(default_factory=dict)
    """Lessons of the forecast; empty = nothing was kept."""
    npcs: Sequence[SavedNpc] = ()
    players: Sequence[SavedPlayer] = ()
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By NPC; those without any may be left out."""
    sessions: Sequence[SavedSession] = ()
