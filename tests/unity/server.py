"""A real Callsheet server in a process of its own, which can be killed and started again."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unity.toolchain import ROOT

START_TIMEOUT_S = 30.0
WITHOUT_MODEL = ("--engine", "scripted", "--set", "scripted.token_delay_s=0.05")
WITHOUT_MEMORY = ("--set", "storage.directory=")


@dataclass
class Server:
    """Address of the server, and its process."""

    folder: Path
    python: str
    options: tuple[str, ...] = (*WITHOUT_MODEL, *WITHOUT_MEMORY)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start the server, on the port it had before if it had one.

        Raises:
            AssertionError: it did not say where it listens.
        """
        log = self.folder / "server.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(self.python, "-m", "callsheet", "serve", "--port", str(self.port)),
                    *self.options,
                    *("--set", 'server.allowed_origins=["*"]'),  # the tests' page is not its own
                ],
                cwd=self.folder,
                env=os.environ
                | {"PYTHONPATH": f"{ROOT / 'sdk_python'}{os.pathsep}{ROOT / 'server'}"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not (found := re.search(r"ws://127\.0\.0\.1:(\d+)/", log.read_text("utf-8"))):
            assert self.process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline_s, log.read_text("utf-8")
            time.sleep(0.05)
        self.port = int(found[1])

    def kill(self) -> None:
        """End the process without warning."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def running_server(
    folder: Path, python: str, options: tuple[str, ...] = Server.options
) -> Iterator[Server]:
    server = Server(folder, python, options)
    server.start()
    try:
        yield server
    finally:
        server.kill()
