"""The demo's parts put together: the game, and an observer who watches it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from callsheet import connect
from callsheet.core.calls import Topic
from callsheet.town import TownSimulation
from callsheet.wire.base import ServerMessage
from callsheet.wire.observe import Stats
from callsheet.wire.session import EngineSummary
from callsheet_server.app import CallsheetServer
from callsheet_server.demo.game import WORLD, Pace, TownGame
from callsheet_server.settings import Settings
from callsheet_server.watch.scene import EVENTS, Scene
from callsheet_server.watch.summary import Run, summary

__all__ = ["Demo", "DemoOptions", "presets"]

DEVICE_SHARE = 0.3
HOST_SHARE = 0.4
"""Shares of the NPCs' prefixes that fit in these tiers; the rest goes to disk."""
PREFIX_BYTES = 5_900_000
"""Of a biography under the default model in float32, on average; the budgets follow from it."""
LORE_BYTES = 6_000_000
SCRIPTED_PREFIX_BYTES = 1_000_000
OPENING_S = 30.0
"""Game time at which the curtain rises: people are on their way to work."""
OBSERVE_INTERVAL_S = 0.2
SETTLE_S = 5.0
TOPICS: Final[tuple[Topic, ...]] = ("npcs", "stats", "residency", "replies")


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the town is like and how long it plays."""

    npcs: int
    players: int
    hz: float
    speed: float
    seed: int
    seconds: float | None
    """Of real time; None = until stopped."""


def presets(npcs: int) -> list[str]:
    """The demo's own defaults of the server's settings, as flags: tiers too small for everyone."""
    device, host = DEVICE_SHARE * npcs, HOST_SHARE * npcs  # NPCs that fit
    return [
        "server.port=0",
        "reply.max_tokens=32",
        f"embedded.device_budget_bytes={int(device * PREFIX_BYTES) + LORE_BYTES}",
        f"embedded.host_budget_bytes={int(host * PREFIX_BYTES)}",
        f"embedded.disk_budget_bytes={npcs * PREFIX_BYTES}",
        f"scripted.prefix_bytes={SCRIPTED_PREFIX_BYTES}",
        f"scripted.device_budget_bytes={max(int(device), 1) * SCRIPTED_PREFIX_BYTES}",
        f"scripted.host_budget_bytes={int(host) * SCRIPTED_PREFIX_BYTES}",
        f"scripted.disk_budget_bytes={npcs * SCRIPTED_PREFIX_BYTES}",
    ]


class Demo:
    """The town, playing against a server in this process. One object, one run."""

    def __init__(self, server: CallsheetServer, options: DemoOptions) -> None:
        self.scene = Scene()
        self._server = server
        self._options = options
        self._game: TownGame | None = None
        self._engine: EngineSummary | None = None
        self._started_s = self._ended_s = math.inf
        self._new_stats = asyncio.Event()
        self.told: Callable[[ServerMessage], None] = lambda _: None
        """Called with everything the observer is told, after ``scene`` has taken it in."""

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"ws://{_reachable(self._server.settings.server.host)}:{self._server.port}"

    async def run(self) -> None:
        """Play for the time given, or until cancelled.

        Raises:
            ConnectionError: the server cannot be reached, or is gone.
        """
        options = self._options
        town = TownSimulation(options.npcs, options.players, options.seed)
        while town.time_s < OPENING_S:
            town.step(0.5, quiet=True)
        pace = Pace(options.hz, options.speed, _max_open(self._server.settings))
        async with (
            connect(self.url, role="observer", world=WORLD, name="callsheet-demo-view") as observer,
            connect(self.url, role="game", world=WORLD, name="callsheet-demo") as client,
        ):
            self._engine = observer.welcome.engine
            observer.on(self._take, *EVENTS)
            await observer.subscribe(*TOPICS, interval_s=OBSERVE_INTERVAL_S)
            self._game = TownGame(client, town, options.seed, pace)
            self._started_s = time.monotonic()
            await self._game.run(options.seconds)
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
        if self._engine is None or self._game is None or self.scene.stats is None:
            return None
        seconds = min(self._ended_s, time.monotonic()) - self._started_s
        return summary(self.scene, Run(self._engine, seconds, self._game.errors))

    def _take(self, event: ServerMessage) -> None:
        self.scene.take(event, time.monotonic())
        self.told(event)
        if isinstance(event, Stats):
            self._new_stats.set()


def _reachable(host: str) -> str:
    """The address to reach a server at from here, for a URL."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host else host


def _max_open(settings: Settings) -> int:
    """Half of what the engine answers at once, so that players find a free place."""
    embedded = settings.engine.name == "embedded"
    slots = settings.embedded.max_batch if embedded else settings.scripted.max_running
    return max(slots // 2, 1)
