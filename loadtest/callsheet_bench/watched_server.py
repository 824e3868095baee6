"""A ``callsheet serve`` in a process of its own, and what the system says of it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["WatchedServer", "watched_server"]

START_S = 120.0
STOP_S = 60.0
ROOT = Path(__file__).parents[2]
PYTHON_PATH = os.pathsep.join(str(ROOT / part) for part in ("sdk_python", "server", "loadtest"))


@dataclass(frozen=True)
class WatchedServer:
    """A running server, seen from outside."""

    process: asyncio.subprocess.Process
    port: int
    worlds: Path
    """Folder of its databases."""
    log: Path
    """File of what it writes to stderr."""

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def cpu_s(self) -> float:
        """CPU seconds used so far."""
        times = self._seen.cpu_times()
        return times.user + times.system

    @property
    def rss_bytes(self) -> int:
        return int(self._seen.memory_info().rss)

    @property
    def open_files(self) -> int:
        return int(self._seen.num_fds())

    @property
    def log_bytes(self) -> int:
        return self.log.stat().st_size

    @property
    def databases(self) -> int:
        return len(list(self.worlds.glob("world-*.sqlite3")))

    @property
    def _seen(self) -> psutil.Process:
        return psutil.Process(self.process.pid)

    async def stop(self) -> None:
        """Tell it to end, and wait until it has."""
        self.process.terminate()
        await asyncio.wait_for(self.process.wait(), STOP_S)


@asynccontextmanager
async def watched_server(folder: Path) -> AsyncIterator[WatchedServer]:
    """Run a server with the scripted engine; its worlds and its log are in ``folder``."""
    log, worlds = folder / "server.log", folder / "worlds"
    flags = ("--port", "0", "--set", f"storage.directory={worlds}")
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callsheet", "serve", "--engine", "scripted", *flags),
            env=os.environ | {"PYTHONPATH": PYTHON_PATH},
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            while b"listening on " not in (line := await process.stdout.readline()):
                if not line:
                    raise RuntimeError(log.read_text(errors="replace"))
        port = int(line.decode().partition("://127.0.0.1:")[2].partition("/")[0])
        yield WatchedServer(process, port, worlds, log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
