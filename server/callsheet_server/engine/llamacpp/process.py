"""llama.cpp's server in a child process: started, its log kept, ended with this process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import socket
import sys
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Self

from callsheet_server.engine.errors import EngineError, EngineStartError
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.llamacpp.child import DEVICES

__all__ = ["CHILD_COMMAND", "LlamaProcess", "free_port"]

logger = logging.getLogger(__name__)

CHILD_COMMAND: Final = "llamacpp-child"
"""Command of a frozen ``callsheet`` that runs ``child.py``."""
TAIL_LINES: Final = 30
"""Lines of its log that are kept to explain a failure."""
POLL_S: Final = 0.05
HEALTH_TIMEOUT_S: Final = 2.0
STOP_TIMEOUT_S: Final = 5.0
"""Time to end by itself, before it is killed."""
POLITE: Final = {"OMP_WAIT_POLICY": "passive"}
"""Threads that wait for each other sleep: where a game has the cores, spinning makes llama.cpp
twenty times slower, and the game too."""
NO_GOMP: Final = "libgomp.so.1"
"""Named by the dynamic linker where it is missing: small images of Linux lack it."""
_CAUSE: Final = re.compile(r"error loading model: (.*)|E .*?: (.*)")
"""Lines of its log that say why it does not start; the first one is the cause."""


def free_port() -> int:
    """A port of the loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class LlamaProcess:
    """A child process that runs ``child.py``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Use ``launch``."""
        self._process = process
        self.devices: list[str] = []
        """Names of the devices that llama.cpp can compute on, the CPU last; empty = not known."""
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._listening = asyncio.create_task(self._listen())
        self.ended = asyncio.create_task(process.wait())
        """Done when the process is gone."""

    @classmethod
    async def launch(
        cls, asked: Mapping[str, Any], environment: Mapping[str, str] = POLITE
    ) -> Self:
        """Start the child; ``asked`` is its first line of input, ``environment`` is added."""
        frozen = getattr(sys, "frozen", False)
        module = "callsheet_server.engine.llamacpp.child"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *([CHILD_COMMAND] if frozen else ["-m", module]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,  # Ctrl-C is for the server, which ends it in good order.
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        return cls(process)

    async def until_ready(self, server: ModelServer) -> None:
        """Wait until ``server``, which this process is to be, takes requests.

        Raises:
            EngineStartError: it ended instead; the text says why.
        """
        while not self.ended.done():
            with contextlib.suppress(EngineError):
                await server.get("/health", timeout_s=HEALTH_TIMEOUT_S)
                return
            await asyncio.wait((self.ended,), timeout=POLL_S)
        await self._listening
        raise EngineStartError(f"llamacpp: llama.cpp does not start: {self._cause()}")

    async def stop(self) -> None:
        """End it; may be called twice."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait((self.ended,), timeout=STOP_TIMEOUT_S)
        if not self.ended.done():
            logger.error("llama.cpp's process does not end; killing it")
            self._process.kill()
        await self.ended
        await self._listening

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def last_words(self) -> str:
        """The end of its log, in one line."""
        return " | ".join(list(self._tail)[-3:]) or f"status {self._process.returncode}"

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            text = line.decode(errors="replace").strip()
            if text.startswith(DEVICES):
                self.devices = json.loads(text.removeprefix(DEVICES))
            elif text:
                logger.debug("llama.cpp: %s", text)
                self._tail.append(text)

    def _cause(self) -> str:
        for line in self._tail:
            if NO_GOMP in line:
                return "the library libgomp is missing; on Debian: apt-get install libgomp1"
            if found := _CAUSE.search(line):
                return found[1] or found[2]
        return self.last_words
