"""Show of a game: the session that plays and the one that observes, opened by our commands."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from typing import Any, Final

from pydantic import SecretStr

from callsheet import connect
from callsheet.wire.base import ServerMessage
from callsheet.wire.observe import Stats, Topic
from callsheet.wire.session import EngineSummary
from callsheet_server.tools.demo.game import Game, count_errors
from callsheet_server.tools.terminal.scene import EVENTS, Scene
from callsheet_server.tools.terminal.summary import Run, summary

__all__ = ["Show"]

OBSERVE_INTERVAL_S = 0.2
TOPICS: Final[tuple[Topic, ...]] = ("npcs", "stats", "residency", "replies")
SETTLE_S = 5.0
"""Longest wait for the last figures."""


class Show:
    """One game playing in one world. One object, one run."""

    def __init__(
        self,
        url: str,
        world: str,
        game: Game,
        game_token: SecretStr | None = None,
        observer_token: SecretStr | None = None,
    ) -> None:
        self.scene = Scene()
        self._url = url
        self._world = world
        self._game = game
        self._tokens = [
            None if token is None else token.get_secret_value()
            for token in (game_token, observer_token)
        ]
        self._engine: EngineSummary | None = None
        self._started_s = self._ended_s = math.inf
        self._new_stats = asyncio.Event()
        self.told: Callable[[ServerMessage], None] = lambda _: None
        """Called with everything the observer is told, after ``scene`` has taken it in."""

    async def run(self) -> None:
        """Play until the game ends, or until cancelled.

        Raises:
            ConnectionError: the server cannot be reached, or is gone.
            CallsheetError: it refused the sessions or the world.
        """
        url, world, (game_token, token) = self._url, self._world, self._tokens
        async with (
            connect(url, role="observer", world=world, token=token, name="callsheet-view") as eye,
            connect(url, role="game", world=world, token=game_token, name="callsheet-play") as game,
        ):
            self._engine = eye.welcome.engine
            eye.on(self._take, *EVENTS)
            await eye.subscribe(*TOPICS, interval_s=OBSERVE_INTERVAL_S)
            count_errors(game, self._game.errors)
            self._started_s = time.monotonic()
            await self._game.run(game)
            self._ended_s = time.monotonic()
            await self._settle()

    async def _settle(self) -> None:
        """Wait for figures that cover the whole run."""
        self._new_stats.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await self._new_stats.wait()

    def summary(self) -> dict[str, Any] | None:
        """The run in figures, so far or as it ended; None before there are any."""
        if self._engine is None or self.scene.stats is None:
            return None
        seconds = min(self._ended_s, time.monotonic()) - self._started_s
        return summary(self.scene, Run(self._engine, seconds, self._game.errors))

    def _take(self, event: ServerMessage) -> None:
        self.scene.take(event, time.monotonic())
        self.told(event)
        if isinstance(event, Stats):
            self._new_stats.set()
