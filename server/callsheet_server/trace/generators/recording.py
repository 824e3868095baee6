"""Recording of a made-up session: whatever a generator decides becomes a trace."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from callsheet_server.trace.trace import Trace, TraceCall, TraceNpc, TracePlayer, TraceTick

__all__ = ["Generated", "Recording", "ground", "people"]

BYTES_PER_TOKEN = 23_040
"""KV cache of SmolLM2-135M in 16-bit floats."""
PREFILL_TOKENS_PER_S = 2000.0
REPLY_TOKENS = 40

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Generated:
    """Generated workload, and what its rules alone say about the calls to come."""

    trace: Trace
    chance: F32 | None
    """(T, N) float32: expected calls between a tick and the next, from the rules and the past
    without the dice to come; None = the rules give no closed form."""


def people(
    draw: np.random.Generator,
    kind: str,
    count: int,
    interaction_radius_m: float = 2.0,
    sociability: float = 0.0,
    tokens: tuple[int, int] = (700, 701),
) -> tuple[TraceNpc, ...]:
    """NPCs alike but for the length of their prefixes, which is uniform in ``tokens``."""
    return tuple(
        TraceNpc(
            id=f"{kind}-{row}",
            interaction_radius_m=interaction_radius_m,
            sociability=sociability,
            size_bytes=size * BYTES_PER_TOKEN,
            rebuild_s=size / PREFILL_TOKENS_PER_S,
        )
        for row, size in enumerate(draw.integers(*tokens, count).tolist())
    )


def ground(plane: F64) -> F32:
    """(K, 2) on the ground -> (K, 3) with y up."""
    return np.stack([plane[:, 0], np.zeros(len(plane)), plane[:, 1]], axis=1).astype(np.float32)


@dataclass(slots=True)
class Recording:
    """A trace in the making, tick by tick. NPCs stand where they were last put."""

    world: str
    npcs: tuple[TraceNpc, ...]
    tick_s: float
    players: int = 0
    player_max_speed_mps: float = 6.0
    npc_max_speed_mps: float = 0.0
    reply_s: float = 2.0
    trace: Trace = field(init=False)
    busy_until_s: F64 = field(init=False)
    """(N,) when the reply each NPC is giving will be complete."""
    _place_m: F64 = field(init=False)
    _velocity_mps: F64 = field(init=False)
    _scheduled_s: F64 = field(init=False)
    _present: NDArray[np.bool_] = field(init=False)
    _player_m: F64 | None = field(init=False, default=None)
    _draw: np.random.Generator = field(init=False)
    _chance: list[F32] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        players = tuple(TracePlayer(f"player-{p}", f"Player {p}") for p in range(self.players))
        count = len(self.npcs)
        self._draw = np.random.default_rng(count)
        self.trace = Trace(
            self.world,
            self.player_max_speed_mps,
            self.npc_max_speed_mps,
            self.npcs,
            players=players,
        )
        self.busy_until_s = np.full(count, -np.inf)
        self._place_m = np.zeros((count, 2))
        self._velocity_mps = np.zeros((count, 2))
        self._scheduled_s = np.full(count, np.nan)
        self._present = np.zeros(count, np.bool_)

    @property
    def next_s(self) -> float:
        """Game time of the tick that ``tick`` will record."""
        return (len(self.trace.ticks) + 1) * self.tick_s

    def free(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of ``rows`` that are not giving a reply at the next tick."""
        return rows[self.busy_until_s[rows] <= self.next_s]

    def call(self, rows: NDArray[np.intp]) -> None:
        """Let NPCs that are free call at the next tick, in any order; each is then busy."""
        now_s = self.next_s
        for row in self._draw.permutation(self.free(rows)).tolist():
            self.busy_until_s[row] = now_s + self.reply_s
            self.trace.calls.append(TraceCall(now_s, row, self.reply_s, REPLY_TOKENS))

    def tick(
        self,
        place_m: F64 | None = None,
        player_m: F64 | None = None,
        scheduled_s: F64 | None = None,
        present: NDArray[np.bool_] | None = None,
        chance: F64 | None = None,
    ) -> None:
        """Record the next tick; velocities follow from the places.

        Args:
            place_m: (N, 2) where the NPCs are; None = as before.
            player_m: (P, 2) where the players are; None = none takes part.
            scheduled_s: (N,) absolute times of announced calls; None = as before.
            present: (N,) who is simulated; None = everybody.
            chance: (N,) expected calls until the next tick; see ``Generated``.
        """
        now_s, count = self.next_s, len(self.npcs)
        first = not self.trace.ticks
        place_m = self._place_m if place_m is None else place_m
        scheduled_s = self._scheduled_s if scheduled_s is None else scheduled_s
        present = np.ones(count, np.bool_) if present is None else present
        came = present & ~self._present
        moved_m = np.where((came | first)[:, None], 0.0, place_m - self._place_m)
        velocity_mps = moved_m / self.tick_s
        announced = (scheduled_s != self._scheduled_s) & ~(
            np.isnan(scheduled_s) & np.isnan(self._scheduled_s)
        )
        changed = (velocity_mps != 0.0).any(axis=1) | (velocity_mps != self._velocity_mps).any(
            axis=1
        )
        rows = np.flatnonzero(present & (came | changed | announced))
        players: F64 = np.zeros((0, 2)) if player_m is None else player_m
        walked_m = np.zeros_like(players)
        if self._player_m is not None and len(self._player_m) == len(players):
            walked_m = players - self._player_m
        self.trace.ticks.append(
            TraceTick(
                time_s=now_s,
                rows=rows,
                position_m=ground(place_m[rows]),
                velocity_mps=ground(velocity_mps[rows]),
                scheduled_call_s=scheduled_s[rows],
                player_position_m=ground(players),
                player_velocity_mps=ground(walked_m / self.tick_s),
                player_rows=np.arange(len(players)),
                inactive_rows=np.flatnonzero(self._present & ~present),
            )
        )
        self._place_m, self._velocity_mps = place_m.copy(), velocity_mps
        self._scheduled_s, self._present = scheduled_s.copy(), present.copy()
        self._player_m = players.copy()
        if chance is not None:
            self._chance.append(chance.astype(np.float32))

    def finish(self) -> Generated:
        """Return what was recorded."""
        return Generated(self.trace, np.array(self._chance) if self._chance else None)
