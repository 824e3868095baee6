"""Attacks on a server, measured: what they cost it and the innocent game beside them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from callsheet_bench.hostile.attack import Attack
from callsheet_bench.watched_server import PYTHON_PATH, WatchedServer, watched_server

__all__ = ["Arena", "Outcome", "Window", "arena"]

SAMPLE_S: Final = 0.1
MODULE: Final = "callsheet_bench.hostile"


@dataclass
class Window:
    """A stretch of time as the innocent game felt it."""

    ack_s: list[float] = field(default_factory=list)
    reply_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str, seconds: float) -> None:
        """Add one thing that came."""
        if kind == "ack":
            self.ack_s.append(seconds)
        elif kind == "reply":
            self.reply_s.append(seconds)
        else:
            self.errors[kind] += 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Measurements of one attack."""

    attack: Attack
    seconds: float
    during: Window
    cpu_per_s: float
    """CPU seconds of the server per second, less what the innocent alone takes."""
    grown_bytes: int
    """Most resident memory during the attack, less that before."""
    kept_bytes: int
    """The same, some time after it."""
    log_bytes: int
    closes: Counter[int]


class _Game:
    """The innocent game, in a process of its own; tells the window that is open what came."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.window = Window()

    async def listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            _, kind, seconds = line.decode().split()
            self.window.note(kind, float(seconds))

    async def window_of(self, seconds: float, patience_s: float = 0.0) -> Window:
        """All that comes in so many seconds from now, or until it was served at all."""
        window = self.window = Window()
        await asyncio.sleep(seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while not (window.ack_s and window.reply_s):  # noqa: ASYNC110
                    await asyncio.sleep(SAMPLE_S)
        self.window = Window()
        return window


@asynccontextmanager
async def _program(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        env=os.environ | {"PYTHONPATH": PYTHON_PATH},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def _playing(port: int) -> AsyncIterator[_Game]:
    async with _program(f"{MODULE}.innocent", str(port)) as process:
        game = _Game(process)
        listening = asyncio.create_task(game.listen())
        while not game.window.reply_s:
            assert not listening.done(), "the innocent game has ended"
            await asyncio.sleep(SAMPLE_S)
        try:
            yield game
        finally:
            listening.cancel()


class Arena:
    """A server with an innocent game on it, where attacks can be tried."""

    def __init__(self, server: WatchedServer, game: _Game) -> None:
        self._server = server
        self._game = game
        self._idle_cpu_per_s = 0.0

    async def idle(self, seconds: float) -> Window:
        """Watch the game when nobody attacks; its CPU seconds are not counted later."""
        cpu_s = self._server.cpu_s
        window = await self._game.window_of(seconds)
        self._idle_cpu_per_s = (self._server.cpu_s - cpu_s) / seconds
        return window

    async def stop(self) -> float:
        """Tell the server to end; return the seconds it takes."""
        start_s = time.monotonic()
        await self._server.stop()
        return time.monotonic() - start_s

    async def attacked(
        self,
        attack: Attack,
        seconds: float,
        address: str,
        back_s: float = 0.0,
        patience_s: float = 0.0,
    ) -> Outcome:
        """Attack from ``address``; wait ``back_s`` for what memory comes back.

        ``patience_s``: time that the innocent may be served in, if nothing came during the attack.
        """
        server = self._server
        attacker = _program(MODULE, attack.name, str(server.port), str(seconds), address)
        async with attacker as process:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"begun\n", "the attack did not begin"
            rss_bytes, log_bytes = server.rss_bytes, server.log_bytes
            cpu_s, start_s = server.cpu_s, time.monotonic()
            watch = asyncio.create_task(_highest_rss_bytes(server, seconds))
            during = await self._game.window_of(seconds, patience_s)
            took_s = time.monotonic() - start_s
            cpu_per_s = (server.cpu_s - cpu_s) / took_s - self._idle_cpu_per_s
            grown_bytes = await watch - rss_bytes
            codes = [int(line) for line in (await process.stdout.read()).split()]
            assert await process.wait() == 0, "the attacker failed"
        await asyncio.sleep(back_s)
        return Outcome(
            attack=attack,
            seconds=took_s,
            during=during,
            cpu_per_s=cpu_per_s,
            grown_bytes=grown_bytes,
            kept_bytes=server.rss_bytes - rss_bytes,
            log_bytes=server.log_bytes - log_bytes,
            closes=Counter(codes),
        )


@asynccontextmanager
async def arena(folder: Path) -> AsyncIterator[Arena]:
    """Start a server and an innocent game."""
    async with watched_server(folder) as server, _playing(server.port) as game:
        yield Arena(server, game)


async def _highest_rss_bytes(server: WatchedServer, seconds: float) -> int:
    highest_bytes, end_s = server.rss_bytes, time.monotonic() + seconds
    while time.monotonic() < end_s:
        await asyncio.sleep(SAMPLE_S)
        highest_bytes = max(highest_bytes, server.rss_bytes)
    return highest_bytes
