"""A server of our own to test, and what a running one costs."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import psutil

__all__ = ["Cost", "StartError", "running_server", "slope_mb_per_min"]

LISTENING = re.compile(r"listening on (ws://\S+)")
START_TIMEOUT_S = 300.0
"""An engine with a model may have to fetch it first."""
STOP_TIMEOUT_S = 20.0


class StartError(Exception):
    """The server did not come up; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time and memory of the server's process at one moment."""

    time_s: float
    """Unix time."""
    cpu_s: float
    """User and system time since its start."""
    rss_mb: float

    @classmethod
    def of(cls, process: psutil.Process) -> Cost:
        """Read it now. Raises ``psutil.NoSuchProcess`` if the server is gone."""
        times = process.cpu_times()
        return cls(time.time(), times.user + times.system, process.memory_info().rss / 1e6)


@contextlib.contextmanager
def running_server(engine: str, settings: Sequence[str]) -> Iterator[tuple[str, psutil.Process]]:
    """Run ``callsheet serve`` on a free port while the block runs.

    Args:
        engine: the engine's name.
        settings: each ``key=value``, as for ``callsheet serve --set``.

    Yields:
        The server's URL and its process.

    Raises:
        StartError: it did not come up.
    """
    command = [sys.executable, "-m", "callsheet", "serve", "--engine", engine, "--port", "0"]
    command += ["--set", "storage.directory="]
    command += [word for setting in settings for word in ("--set", setting)]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield _wait_until_listening(process, log), psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_listening(process: subprocess.Popen[bytes], log: IO[str]) -> str:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while True:
        ended = process.poll() is not None
        log.seek(0)
        said = log.read()
        found = LISTENING.search(said)
        if found:
            return found[1]
        if ended:
            raise StartError(f"the server did not start:\n{said.strip()}")
        if time.monotonic() > deadline_s:
            raise StartError(f"the server did not start within {START_TIMEOUT_S:g} s:\n{said}")
        time.sleep(0.1)


def slope_mb_per_min(costs: Sequence[Cost]) -> float:
    """Least-squares slope of the memory over time; 0 for fewer than three samples."""
    if len(costs) < 3:
        return 0.0
    minutes = [(cost.time_s - costs[0].time_s) / 60 for cost in costs]
    mean_min = sum(minutes) / len(minutes)
    mean_mb = sum(cost.rss_mb for cost in costs) / len(costs)
    spread = sum((at - mean_min) ** 2 for at in minutes)
    together = sum(
        (at - mean_min) * (cost.rss_mb - mean_mb) for at, cost in zip(minutes, costs, strict=True)
    )
    return together / spread if spread else 0.0
