"""Events as plain lines: for pipes, logs and terminals without a screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from callsheet.wire.base import ServerMessage
from callsheet.wire.observe import Moves, Stats
from callsheet.wire.talk import ReplyEnd
from callsheet_server.tools.terminal.scene import Scene

__all__ = ["LinePrinter"]

STATS_PERIOD_S = 10.0


class LinePrinter:
    """Prints every reply, the counters every ten seconds, and, if asked, every move."""

    def __init__(
        self,
        scene: Scene,
        file: TextIO,
        *,
        moves: bool,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scene = scene
        self._file = file
        self._moves = moves
        self._now_s = now_s
        self._stats_due_s = now_s()

    def show(self, event: ServerMessage) -> None:
        """Print what ``event``, which the scene has taken in, adds."""
        match event:
            case ReplyEnd():
                self._reply(event)
            case Moves() if self._moves:
                for move in event.moves:
                    words = move.error or move.reason
                    self._print(f"{move.source} -> {move.target}: {move.key}: {words}")
            case Stats() if self._now_s() >= self._stats_due_s:
                self._stats_due_s = self._now_s() + STATS_PERIOD_S
                self._stats(event)
            case _:
                pass

    def _reply(self, end: ReplyEnd) -> None:
        line = self._scene.lines.get(end.reply)
        if line is not None and line.heard:
            self._print(f"{line.speaker} to {end.npc}: {line.heard}")
        found = "" if end.ttft_s is None else f" [{end.tier}, {end.ttft_s * 1e3:.0f} ms]"
        self._print(f"{end.npc}: {' '.join(end.text.split())}{found}")

    def _stats(self, stats: Stats) -> None:
        tiers = ", ".join(
            f"{tier.tier} {tier.items} NPCs {tier.used_bytes / 1e6:.0f} of "
            f"{tier.budget_bytes / 1e6:.0f} MB"
            for tier in stats.tiers
            if tier.kind == "prefix" and tier.budget_bytes
        )
        self._print(
            f"-- game time {stats.game_time_s:.0f} s: {self._scene.ticks_per_s:.0f} ticks/s, "
            f"{stats.replies} replies, {stats.queued} queued; {tiers}"
        )

    def _print(self, text: str) -> None:
        print(text, file=self._file, flush=True)
