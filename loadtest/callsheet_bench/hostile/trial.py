"""One attack on one server, measured: what it costs the server and the innocent beside it."""

from __future__ import annotations

import asyncio
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

__all__ = ["Outcome", "Window", "try_attack"]

SAMPLE_S: Final = 0.1
BACK_S: Final = 5.0
"""Time that memory has to come back after an attack."""
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
    before: Window
    during: Window
    cpu_per_s: float
    """CPU seconds of the server per second, less what the innocent alone takes."""
    grown_bytes: int
    """Most resident memory during the attack, less that before."""
    kept_bytes: int
    """The same, ``BACK_S`` after it."""
    log_bytes: int
    closes: Counter[int]
    stopped_s: float
    """Time that the server took to end, when it was told to."""


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

    async def window_of(self, seconds: float) -> Window:
        """What comes in so many seconds from now."""
        window = self.window = Window()
        await asyncio.sleep(seconds)
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


async def try_attack(attack: Attack, folder: Path, seconds: float, idle_s: float) -> Outcome:
    """Start a server and a game, let it play alone for ``idle_s``, then attack."""
    async with watched_server(folder) as server:
        async with _playing(server.port) as game:
            cpu_s = server.cpu_s
            before = await game.window_of(idle_s)
            idle_cpu_per_s = (server.cpu_s - cpu_s) / idle_s
            attacker = _program(MODULE, attack.name, str(server.port), str(seconds))
            async with attacker as process:
                assert process.stdout is not None
                assert await process.stdout.readline() == b"begun\n", "the attack did not begin"
                rss_bytes, cpu_s, start_s = server.rss_bytes, server.cpu_s, time.monotonic()
                log_bytes = server.log_bytes
                watch = asyncio.create_task(_highest_rss_bytes(server, seconds))
                during = await game.window_of(seconds)
                took_s = time.monotonic() - start_s
                cpu_per_s = (server.cpu_s - cpu_s) / took_s - idle_cpu_per_s
                peak_bytes = await watch
                codes = [int(line) for line in (await process.stdout.read()).split()]
                assert await process.wait() == 0, "the attacker failed"
            await asyncio.sleep(BACK_S if seconds >= BACK_S else SAMPLE_S)
            kept_bytes = server.rss_bytes - rss_bytes
        start_s = time.monotonic()
        await server.stop()
        stopped_s = time.monotonic() - start_s
        return Outcome(
            attack=attack,
            seconds=took_s,
            before=before,
            during=during,
            cpu_per_s=cpu_per_s,
            grown_bytes=peak_bytes - rss_bytes,
            kept_bytes=kept_bytes,
            log_bytes=server.log_bytes - log_bytes,
            closes=Counter(codes),
            stopped_s=stopped_s,
        )


async def _highest_rss_bytes(server: WatchedServer, seconds: float) -> int:
    highest_bytes, end_s = 0, time.monotonic() + seconds
    while time.monotonic() < end_s:
        highest_bytes = max(highest_bytes, server.rss_bytes)
        await asyncio.sleep(SAMPLE_S)
    return highest_bytes
