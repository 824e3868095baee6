"""Habits: how often and how regularly each NPC has called, and who has just been followed.

What is known is read off the snapshots: a call begins where a conversation opens. Everything is
kept by row, with the handle that says whose it is; a row with a new NPC starts afresh.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance.chains import WINDOW_S, Chains
from callsheet_server.world.snapshot import Snapshot

__all__ = ["Habits", "Rows"]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Rows = slice | NDArray[np.intp]

HALF_LIVES_S = (150.0, 1500.0)
"""A call's weight in a rate halves in this time: one rate follows a change, one is steady."""
GAPS = 12
"""Gaps after which old ones begin to fade."""
PRIOR_GAPS, PRIOR_SPREAD = 3.0, 0.6
"""An NPC counts as regular as others of its world, as if by so many gaps; the world counts as
irregular, as if by so many gaps of this relative spread, until more is known."""
MOST_OFF = 2.0
"""Relative deviation of a gap above which it counts as this."""
REGULAR_SPREAD = 0.45
"""Standard deviation over mean of the gaps below which an NPC counts as regular."""
ASSUMED_GAP_S = 60.0
"""Gap between an NPC's calls before any was seen."""

NOBODY = 0xFFFF_FFFF
_COLUMNS: dict[str, tuple[Any, Any]] = {
    "handle": (np.uint32, NOBODY),
    "since_s": (np.float64, np.inf),
    "begun_s": (np.float64, -np.inf),
    "calls": (np.float64, 0.0),
    "often": (np.float64, 0.0),
    "lately": (np.float64, 0.0),
    "unprompted": (np.float64, 0.0),
    "gap_s": (np.float64, 0.0),
    "gap_variance_s2": (np.float64, 0.0),
    "hint": (np.float32, 0.0),
    "hinted_s": (np.float64, -np.inf),
    "open": (np.bool_, False),
    "ended_s": (np.float64, -np.inf),
}


class Habits:
    """Past calls of one world's NPCs. Arrays are (N,) by row."""

    handle: NDArray[np.uint32]
    since_s: F64
    """Game time at which the NPC was first seen."""
    begun_s: F64
    """Game time at which its last call began; -inf = never."""
    calls: F64
    often: F64
    """Calls, fading with the longer half-life, as of ``begun_s``."""
    lately: F64
    """Calls, fading with the shorter half-life, as of ``begun_s``."""
    unprompted: F64
    """Calls like ``often``, less the chance that each followed another NPC's."""
    gap_s: F64
    """Mean time between the beginnings of two calls."""
    gap_variance_s2: F64
    hint: F32
    """Chance that it follows whoever called at ``hinted_s``; 0 = no hint."""
    hinted_s: F64
    open: NDArray[np.bool_]
    ended_s: F64
    """Game time at which its last call ended, as of the last tick."""

    def __init__(self) -> None:
        self.chains = Chains()
        self.now_s = -np.inf
        self.seen_calls = 0
        """Calls of the world, ever."""
        self.remembered: dict[int, dict[str, float]] = {}
        """Habits from before a restart, by the handle of an NPC not met yet."""
        self._row_of: dict[int, int] = {}
        self.faded_calls = 0.0
        """Calls of the world, fading with the longer half-life."""
        self.faded_npc_s = 0.0
        """Seconds lived by all its NPCs, fading alike."""
        self.faded_gaps, self.faded_off2 = 0.0, 0.0
        """Gaps of the world after the first of each NPC, and their squared relative deviations."""
        self._reserved: dict[str, NDArray[Any]] = {}
        """The columns with room for rows to come."""
        for name, (dtype, fill) in _COLUMNS.items():
            setattr(self, name, np.full(0, fill, dtype))
            self._reserved[name] = getattr(self, name)

    def observe(self, snapshot: Snapshot) -> NDArray[np.intp]:
        """Take in a tick; return the rows whose call has begun since the last one."""
        self._meet(snapshot)
        now_s = snapshot.game_time_s
        if now_s < self.now_s:
            self._go_back(now_s)
        passed_s = now_s - self.now_s if np.isfinite(self.now_s) else 0.0
        self.now_s = now_s
        kept = 0.5 ** (passed_s / HALF_LIVES_S[1])
        self.faded_calls *= kept
        self.faded_npc_s = self.faded_npc_s * kept + passed_s * float(snapshot.alive.sum())
        self.faded_gaps *= kept
        self.faded_off2 *= kept
        # A call may begin and end between two ticks.
        passed = snapshot.last_call_s > self.ended_s
        self.ended_s[passed] = snapshot.last_call_s[passed]
        began = np.flatnonzero((snapshot.in_conversation | passed) & ~self.open)
        for row in began.tolist():
            self._began(row, now_s)
        self.open[:] = snapshot.in_conversation
        return began

    def usual_rate_per_s(self) -> float:
        """Calls per second of a usual NPC of this world."""
        return (self.faded_calls + 1.0) / (self.faded_npc_s + ASSUMED_GAP_S)

    def rates_per_s(self, rows: Rows) -> tuple[F64, F64, F64]:
        """(R,) calls per second, drawn towards the usual rate: steady, recent, unprompted.

        Each is the mean of a gamma posterior whose prior weighs as much as one call.
        """
        prior_s = 1.0 / self.usual_rate_per_s()
        since_call_s = np.minimum(self.now_s - self.begun_s[rows], 1e9)
        lived_s = np.maximum(self.now_s - self.since_s[rows], 0.0)
        recent_s, steady_s = HALF_LIVES_S
        left, seen_s = {}, {}
        for half_life_s in HALF_LIVES_S:
            left[half_life_s] = np.exp2(-since_call_s / half_life_s)
            faded = 1.0 - np.exp2(-lived_s / half_life_s)
            seen_s[half_life_s] = half_life_s / np.log(2.0) * faded + prior_s
        return (
            (self.often[rows] * left[steady_s] + 1.0) / seen_s[steady_s],
            (self.lately[rows] * left[recent_s] + 1.0) / seen_s[recent_s],
            (self.unprompted[rows] * left[steady_s] + 1.0) / seen_s[steady_s],
        )

    def usual_spread(self) -> float:
        """Relative standard deviation of the gaps of a usual NPC of this world."""
        off2 = self.faded_off2 + PRIOR_GAPS * PRIOR_SPREAD**2
        return float(np.sqrt(off2 / (self.faded_gaps + PRIOR_GAPS)))

    def spread(self, rows: Rows) -> F64:
        """(R,) relative standard deviation of the next gap, drawn towards the world's usual one."""
        gaps = np.maximum(self.calls[rows] - 1.0, 1.0)
        variance = self.gap_variance_s2[rows] / np.maximum(self.gap_s[rows], 1e-3) ** 2
        usual = PRIOR_GAPS * self.usual_spread() ** 2
        mean_off = 1.0 + 1.0 / np.minimum(gaps, GAPS)
        spread: F64 = np.sqrt((gaps * variance + usual) / (gaps - 1.0 + PRIOR_GAPS) * mean_off)
        return spread

    def _began(self, row: int, now_s: float) -> None:
        waited_s = now_s - float(self.begun_s[row])
        for half_life_s, calls in zip(HALF_LIVES_S, (self.lately, self.often), strict=True):
            calls[row] = calls[row] * 0.5 ** (min(waited_s, 1e9) / half_life_s) + 1.0
        prompted = float(self.hint[row]) if now_s - self.hinted_s[row] <= WINDOW_S else 0.0
        kept = 0.5 ** (min(waited_s, 1e9) / HALF_LIVES_S[1])
        self.unprompted[row] = self.unprompted[row] * kept + 1.0 - prompted
        if self.calls[row] == 1.0:
            self.gap_s[row] = waited_s
        elif self.calls[row]:
            weight = 1.0 / min(self.calls[row], GAPS)
            off_s = waited_s - self.gap_s[row]
            off = min(abs(off_s) / max(float(self.gap_s[row]), 1e-3), MOST_OFF)
            self.faded_gaps += 1.0
            self.faded_off2 += off**2 / (1.0 + weight)
            self.gap_s[row] += weight * off_s
            self.gap_variance_s2[row] = (1.0 - weight) * (
                self.gap_variance_s2[row] + weight * off_s**2
            )
        self.calls[row] += 1.0
        self.faded_calls += 1.0
        self.seen_calls += 1
        self.begun_s[row] = now_s
        self.hint[row] = 0.0
        for handle, chance in self.chains.began(int(self.handle[row]), now_s):
            follower = self._row_of.get(handle)
            if follower is not None and not self.open[follower]:
                stale = now_s - self.hinted_s[follower] > WINDOW_S
                if stale or chance > self.hint[follower]:
                    self.hint[follower], self.hinted_s[follower] = chance, now_s

    def _go_back(self, now_s: float) -> None:
        """The game's clock was set back: what was seen later counts as having been just now."""
        self.now_s = now_s
        for times_s in (self.since_s, self.begun_s, self.hinted_s, self.ended_s):
            np.minimum(times_s, now_s, out=times_s)

    def _grow(self, count: int) -> None:
        """Make room; one who spawns costs no copy of everybody's habits."""
        for name, (dtype, fill) in _COLUMNS.items():
            column = self._reserved[name]
            if count > len(column):
                more = np.full(max(count - len(column), len(column) // 8), fill, dtype)
                column = self._reserved[name] = np.concatenate([column, more])
            setattr(self, name, column[:count])

    def _meet(self, snapshot: Snapshot) -> None:
        """Make room for new rows, and start afresh where another NPC is."""
        count = len(snapshot.handle)
        if count > len(self.handle):
            self._grow(count)
        new = np.flatnonzero(snapshot.alive & (self.handle[:count] != snapshot.handle))
        for gone in self.handle[new[self.handle[new] != NOBODY]].tolist():
            self.chains.forget(gone)
            self._row_of.pop(gone, None)
        self._row_of.update(zip(snapshot.handle[new].tolist(), new.tolist(), strict=True))
        for name, (_, fill) in _COLUMNS.items():
            getattr(self, name)[new] = fill
        self.handle[new] = snapshot.handle[new]
        self.since_s[new] = snapshot.game_time_s
        # What ended before the NPC was met is no call of this tick.
        self.ended_s[new] = np.nan_to_num(snapshot.last_call_s[new], nan=-np.inf)
        for row in new.tolist() if self.remembered else ():
            for name, value in self.remembered.pop(int(self.handle[row]), {}).items():
                getattr(self, name)[row] = value
