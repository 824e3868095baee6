"""Events that are born on this side, beside the server's messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Answered", "Connected", "Placed", "ServerAbsent", "Trouble"]


@dataclass(frozen=True, slots=True)
class Connected:
    """The server is there, for the first time or again."""


@dataclass(frozen=True, slots=True)
class ServerAbsent:
    """No server, or none any more. Told once, however often it is tried again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that was asked for was refused or failed."""

    reason: str
    npc: str | None = None
    """The NPC that it is about."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Something that was asked for is there."""

    tell: Callable[[], object]
    """Called in the game's thread."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Handles of whom the server has taken into its world."""

    session: int
    npcs: dict[str, int] = field(default_factory=dict)
    players: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
