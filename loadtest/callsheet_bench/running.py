"""One SGLang while it runs: what it costs, what it counts, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.sglang.process import SglangProcess
from callsheet_sglang.launch.spec import LaunchSpec, arguments, environment

__all__ = ["RunningSglang", "StartError"]

START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 10.0
LOG_BYTES = 4_000_000


class StartError(Exception):
    """SGLang did not come up, or is gone; the text says what it logged last."""


class RunningSglang:
    """A running SGLang; it ends with this process, however that ends."""

    def __init__(
        self, name: str, spec: LaunchSpec, process: SglangProcess, http: aiohttp.ClientSession
    ) -> None:
        """Use ``start``."""
        self.name = name
        self.url = spec.url
        self.python = spec.python
        self.client_environment = environment(replace(spec, plugin=False), os.environ)
        """Environment variables for SGLang's own clients."""
        self.http = http
        self._port = spec.port
        self._process = process
        self._scheduler: psutil.Process | None = None

    @classmethod
    async def start(
        cls,
        name: str,
        spec: LaunchSpec,
        extra: Mapping[str, str],
        log: Path,
        http: aiohttp.ClientSession,
        report: Callable[[Progress], None] = lambda _: None,
    ) -> RunningSglang:
        """Start it and wait until it answers.

        Args:
            name: of the system, for messages.
            spec: how to launch it.
            extra: variables on top of the environment of ``spec``.
            log: file for what it prints.
            http: for all that it is asked; without a limit on connections.
            report: told how far it has loaded, from a thread.

        Raises:
            StartError: it did not come up.
        """
        process = await SglangProcess.launch(
            arguments(spec),
            {**environment(spec, os.environ), **extra},
            log_file=log,
            log_bytes=LOG_BYTES,
            stop_timeout_s=STOP_TIMEOUT_S,
            report=report,
        )
        running = cls(name, spec, process, http)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while not await running._answers():
                    if process.ended.is_set():
                        raise StartError(f"{name} ended while it started:\n{process.tail}")
                    await asyncio.sleep(0.5)
        except BaseException as error:
            await process.stop()
            if isinstance(error, TimeoutError):
                raise StartError(
                    f"{name} took over {START_TIMEOUT_S:g} s:\n{process.tail}"
                ) from None
            raise
        return running

    async def stop(self) -> None:
        """End it and all it has started."""
        await self._process.stop()

    def scheduler_cpu_s(self) -> float:
        """CPU time of the scheduler's process since its start: the model runs there.

        Raises:
            StartError: it is gone.
        """
        try:
            if self._scheduler is None:
                self._scheduler = self._find_scheduler()
            times = self._scheduler.cpu_times()
        except (StopIteration, psutil.NoSuchProcess):
            raise StartError(f"{self.name} has no scheduler:\n{self._process.tail}") from None
        return times.user + times.system

    async def counters(self) -> Mapping[str, float]:
        """Everything /metrics says, by sample name, summed over labels."""
        async with self.http.get(f"{self.url}/metrics/") as answer:
            answer.raise_for_status()
            text = await answer.text()
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums

    async def get_json(self, path: str) -> Any:
        """Answer of a GET. Raises ``aiohttp.ClientError``."""
        async with self.http.get(self.url + path) as answer:
            answer.raise_for_status()
            return await answer.json(content_type=None)

    async def flush(self) -> None:
        """Forget all KV caches, in both tiers. Nothing may be running."""
        async with self.http.post(f"{self.url}/flush_cache", params={"timeout": "30"}) as answer:
            answer.raise_for_status()

    async def _answers(self) -> bool:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.http.get(f"{self.url}/health") as answer:
                return answer.status == 200
        return False

    def _find_scheduler(self) -> psutil.Process:
        """Raises ``StopIteration`` if there is none."""
        return next(
            child
            for child in psutil.Process().children(recursive=True)
            if child.name().startswith("sglang::sched")
            and str(self._port) in _command(child.parent())
        )


def _command(process: psutil.Process | None) -> list[str]:
    return process.cmdline() if process else []
