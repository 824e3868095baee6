"""The core against a real server: a town, a flood, a cut connection, a killed server."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from unity.server import Server
from unity.toolchain import HERE, Toolchain

pytestmark = pytest.mark.mono


@pytest.fixture
def game(toolchain: Toolchain) -> Path:
    """The program that plays a game: takes a scenario and a URL, prints "passed" at the end."""
    core = toolchain.core()
    if "EndToEnd" not in toolchain.built:
        source = HERE / "e2e" / "EndToEnd.cs"
        toolchain.built["EndToEnd"] = toolchain.compile("EndToEnd.exe", [source], [core])
    return toolchain.built["EndToEnd"]


@pytest.mark.parametrize("scenario", ["town", "flood", "refused"])
def test_play(scenario: str, game: Path, toolchain: Toolchain, shared_server: Server) -> None:
    printed = toolchain.run(game, scenario, shared_server.url)
    assert "passed" in printed.splitlines(), printed


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "silent"])
def test_play_without_a_server(refused: bool, game: Path, toolchain: Toolchain) -> None:
    """Nobody listens, or somebody who accepts TCP and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if refused:
            listener.close()
        printed = toolchain.run(game, "absent", f"ws://127.0.0.1:{port}/")
    assert "passed" in printed.splitlines(), printed


def test_a_server_killed_in_mid_reply_and_started_again(game: Path, server: Server) -> None:
    with playing(game, "restart", server.url) as lines:
        until(lines, "kill-now")
        server.kill()
        server.start()
        until(lines, "restarted")
        until(lines, "passed")


def test_a_connection_cut_in_mid_reply_is_resumed(game: Path, shared_server: Server) -> None:
    wire = Wire(shared_server.port)
    with wire, playing(game, "cut", f"ws://127.0.0.1:{wire.port}/") as lines:
        until(lines, "cut-now")
        wire.cut()
        until(lines, "resumed")
        until(lines, "passed")


@contextmanager
def playing(game: Path, scenario: str, url: str) -> Iterator[Iterator[str]]:
    """The lines a game prints while it runs."""
    process = subprocess.Popen(
        ["mono", str(game), scenario, url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield iter(process.stdout)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def until(lines: Iterator[str], word: str) -> None:
    seen = []
    for line in lines:
        seen.append(line)
        assert not line.startswith("FAILED"), line + "".join(lines)
        if line.startswith(word):
            return
    pytest.fail(f"the game ended without {word!r}: {''.join(seen)}")


class Wire:
    """A TCP relay to the server that can be cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Wire:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        # On Linux a close alone does not wake a blocked accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def cut(self) -> None:
        """End all connections as if somebody had pulled the plug."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _run(self, target: object, *arguments: socket.socket) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                self._run(self._copy, near, far)
                self._run(self._copy, far, near)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        source.close()
