"""A recorded session in memory: who there was, what each tick said, which calls were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsheet.wire.talk import Speaker

__all__ = ["Trace", "TraceCall", "TraceNpc", "TracePlayer", "TraceTick"]

NARRATOR: Final = Speaker(kind="narrator")


@dataclass(frozen=True, slots=True)
class TraceNpc:
    """An NPC of the trace; its row is its place in ``Trace.npcs``."""

    id: str
    interaction_radius_m: float
    sociability: float
    size_bytes: int
    """Size of its prefix KV."""
    rebuild_s: float
    """Seconds its prefill takes."""
    name: str = ""
    persona: str = ""
    archetype: str | None = None
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class TracePlayer:
    """A player of the trace; its row is its place in ``Trace.players``."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class TraceTick:
    """Changes of one tick. A row not named keeps its last values."""

    time_s: float
    rows: NDArray[np.intp]
    """(K,) distinct rows."""
    position_m: NDArray[np.float32]
    """(K, 3)."""
    velocity_mps: NDArray[np.float32]
    """(K, 3)."""
    scheduled_call_s: NDArray[np.float64]
    """(K,) absolute game time; NaN = none."""
    player_position_m: NDArray[np.float32]
    """(P, 3), all players who are there."""
    player_velocity_mps: NDArray[np.float32]
    """(P, 3)."""
    player_rows: NDArray[np.intp]
    """(P,) which players they are."""
    inactive_rows: NDArray[np.intp]
    """(I,) NPCs the game no longer simulates, until a later tick names them again."""


@dataclass(frozen=True, slots=True)
class TraceCall:
    """One LLM call."""

    time_s: float
    """Time at which it was asked for."""
    row: int
    duration_s: float
    """Time until its reply was complete."""
    generated_tokens: int
    speaker: Speaker = NARRATOR
    text: str = ""
    """Words that were said to the NPC."""
    max_tokens: int | None = None
    """As the request asked; None = the server's setting."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Ticks and calls, each in order of time."""

    world: str
    player_max_speed_mps: float
    npc_max_speed_mps: float
    npcs: tuple[TraceNpc, ...]
    ticks: list[TraceTick] = field(default_factory=list)
    calls: list[TraceCall] = field(default_factory=list)
    players: tuple[TracePlayer, ...] = ()
    lore: str = ""
    """Text that all NPCs share."""
