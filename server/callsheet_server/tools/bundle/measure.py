"""Figures of a bundle: time to start, memory, and use of the processor while nothing happens."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import callsheet
from callsheet_server.tools.bundle.build import Bundle

__all__ = ["Figures", "measure", "started"]

IDLE_S: Final = 5.0
"""Time over which an idle server is watched."""
KEPT: Final = ("SYSTEMROOT", "TEMP", "TMP")
"""Environment variables without which Windows starts nothing."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one start."""

    listens_s: float
    """From its start until clients can connect."""
    ready_s: float
    """From its start until a client is welcomed, its model loaded."""
    memory_bytes: int
    """Of the server and its children."""
    idle_share: float
    """Of one core."""


@contextmanager
def started(
    bundle: Bundle, home: Path, *arguments: str, token: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a bundle as a game does, in an empty environment; gives the process and its URL."""
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {
        "HOME": str(home),
        "LOCALAPPDATA": str(home),
        "CALLSHEET_SERVER__GAME_TOKEN": token,
    }
    with subprocess.Popen(  # noqa: S603 - the bundle that was just made
        [str(bundle.program), "serve", "--child", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=home,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def measure(bundle: Bundle, engine: str = "auto") -> Figures:
    """Start a bundle, wait until it welcomes a game, watch it idle, end it."""
    import psutil

    with tempfile.TemporaryDirectory(prefix="callsheet-home-") as home:
        token, began_s = secrets.token_urlsafe(24), time.monotonic()
        with started(bundle, Path(home), "--engine", engine, token=token) as (process, url):
            listens_s = time.monotonic() - began_s
            with callsheet.blocking.connect(url, role="game", world="bundle", token=token):
                ready_s = time.monotonic() - began_s
            server = psutil.Process(process.pid)
            tree = [server, *server.children(recursive=True)]
            before_s = sum(sum(one.cpu_times()[:2]) for one in tree)
            time.sleep(IDLE_S)
            used_s = sum(sum(one.cpu_times()[:2]) for one in tree) - before_s
            memory_bytes = sum(one.memory_info().rss for one in tree)
    return Figures(listens_s, ready_s, memory_bytes, used_s / IDLE_S)
