"""Acceptance of a session's ticks: rate, order, time, and a keyframe first."""

from __future__ import annotations

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.tick import Tick, TickKind
from callsheet_server.limits.token_bucket import TokenBucket
from callsheet_server.session.quota import BURST_S

__all__ = ["TickGate"]


class TickGate:
    """Remembers the last tick that was taken."""

    def __init__(self, max_ticks_per_s: float, now_s: float) -> None:
        self._max_ticks_per_s = max_ticks_per_s
        self._budget = TokenBucket(max_ticks_per_s, max_ticks_per_s * BURST_S, now_s)
        self._last_tick = -1
        self._last_game_time_s = 0.0
        self.keyframe_due = True
        """The first tick of every connection must be a keyframe."""

    def rewind(self, game_time_s: float) -> None:
        """Take ticks from this game time on, whatever the last one's was."""
        self._last_game_time_s = game_time_s

    def refuse(self, tick: Tick, now_s: float) -> CallsheetError | None:
        """Say why a tick must be dropped; None = it is taken."""
        wait_s = self._budget.take(now_s)
        if wait_s:
            return error_for(
                ErrorCode.LIMIT_EXCEEDED,
                f"more than {self._max_ticks_per_s:g} ticks a second; tick dropped",
                field="tick",
                value=str(tick.tick),
                limit=self._max_ticks_per_s,
                retry_after_s=wait_s,
            )
        problem = self._problem(tick)
        if problem is None:
            self._last_tick = tick.tick
            self._last_game_time_s = tick.game_time_s
            self.keyframe_due = False
        return problem

    def _problem(self, tick: Tick) -> CallsheetError | None:
        if tick.tick <= self._last_tick:
            return error_for(
                ErrorCode.TICK_OUT_OF_ORDER,
                f"tick {tick.tick} after tick {self._last_tick}; tick dropped",
                field="tick",
                value=str(tick.tick),
                limit=self._last_tick,
            )
        if tick.game_time_s < self._last_game_time_s and not tick.rewind:
            return error_for(
                ErrorCode.TIME_BACKWARDS,
                f"game_time_s {tick.game_time_s:g} after {self._last_game_time_s:g}; tick dropped: "
                f"if the game's clock went back, send a keyframe with rewind, or load a save",
                field="game_time_s",
                value=f"{tick.game_time_s:g}",
                limit=self._last_game_time_s,
            )
        if self.keyframe_due and tick.kind is not TickKind.KEYFRAME:
            return error_for(
                ErrorCode.BAD_TICK,
                "the first tick of a connection must be a keyframe; tick dropped",
                field="kind",
                value=str(tick.kind.value),
            )
        return None
