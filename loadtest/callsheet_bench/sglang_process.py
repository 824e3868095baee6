"""One SGLang as a child process: start, ask for its figures, stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from callsheet_sglang.launch import LaunchSpec, arguments, environment

__all__ = ["SglangProcess", "StartError", "free_port"]

START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 20.0
LOG_LINES = 20
"""Of the log's end, shown when a start fails."""


class StartError(Exception):
    """SGLang did not come up, or ended; the text says what it logged last."""


def free_port() -> int:
    """A TCP port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class SglangProcess:
    """A running SGLang. Its processes end with ``stop``, or with this one."""

    def __init__(self, name: str, spec: LaunchSpec, extra: Mapping[str, str], log: Path) -> None:
        """Start it; ``wait_until_ready`` before use.

        Args:
            name: of the system, for messages.
            spec: how to launch it.
            extra: variables on top of the environment of ``spec``.
            log: file for what it says; overwritten.
        """
        self.name = name
        self.url = spec.url
        self._log = log
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                arguments(spec),
                env={**environment(spec, os.environ), **extra},
                stdout=sink,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    async def wait_until_ready(self, http: aiohttp.ClientSession) -> None:
        """Return once it answers. Raises ``StartError``."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with http.get(f"{self.url}/health") as answer:
                    if answer.status == 200:
                        return
            if self._process.poll() is not None:
                raise StartError(f"{self.name} ended while it started:\n{self.log_end()}")
            if time.monotonic() > deadline_s:
                raise StartError(f"{self.name} took over {START_TIMEOUT_S:g} s:\n{self.log_end()}")
            await asyncio.sleep(0.5)

    def scheduler_cpu_s(self) -> float:
        """CPU time of the scheduler's process since its start: the model runs there.

        Raises:
            StartError: it is gone.
        """
        try:
            for child in psutil.Process(self._process.pid).children(recursive=True):
                if "sglang::scheduler" in " ".join(child.cmdline()):
                    times = child.cpu_times()
                    return times.user + times.system
        except psutil.NoSuchProcess:
            pass
        raise StartError(f"{self.name} has no scheduler process any more:\n{self.log_end()}")

    async def counters(self, http: aiohttp.ClientSession) -> Mapping[str, float]:
        """Everything /metrics says, by sample name, labels summed up."""
        async with http.get(f"{self.url}/metrics/") as answer:
            answer.raise_for_status()
            text = await answer.text()
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums

    async def get_json(self, http: aiohttp.ClientSession, path: str) -> Any:
        """Answer of a GET. Raises ``aiohttp.ClientError``."""
        async with http.get(self.url + path) as answer:
            answer.raise_for_status()
            return await answer.json(content_type=None)

    async def flush(self, http: aiohttp.ClientSession) -> None:
        """Forget all KV caches, in both tiers. Nothing may be running."""
        async with http.post(f"{self.url}/flush_cache", params={"timeout": "10"}) as answer:
            answer.raise_for_status()

    def log_end(self) -> str:
        """The last lines it logged."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])

    def stop(self) -> None:
        """End its process group: politely, then not."""
        for kind, patience_s in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, kind)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
                break
        with contextlib.suppress(ProcessLookupError):  # children that outlived their parent
            os.killpg(self._process.pid, signal.SIGKILL)
