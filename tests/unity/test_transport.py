"""The ClientWebSocket transport against a WebSocket server that misbehaves on request."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from unity.toolchain import HERE, RUN_TIMEOUT_S, Toolchain
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from callsheet.wire import SUBPROTOCOL

pytestmark = pytest.mark.mono


@pytest.fixture
def program(toolchain: Toolchain) -> Path:
    """The program that takes a URL and the steps to go with a socket to it."""
    core = toolchain.core()
    if "TransportProbe" not in toolchain.built:
        source = HERE / "transport" / "TransportProbe.cs"
        toolchain.built["TransportProbe"] = toolchain.compile(
            "TransportProbe.exe", [source], [core]
        )
    return toolchain.built["TransportProbe"]


@pytest.fixture
def probe(toolchain: Toolchain, program: Path) -> Callable[..., None]:
    def run(url: str, *steps: str) -> None:
        printed = toolchain.run(program, url, *steps)
        assert "passed" in printed.splitlines(), printed

    return run


@contextmanager
def serving(handler: Callable[[ServerConnection], None]) -> Iterator[str]:
    def quiet(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            handler(connection)

    with serve(
        quiet,
        "127.0.0.1",
        0,
        compression=None,
        max_size=None,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        finally:
            server.shutdown()
            thread.join()


def test_frames_of_any_size_both_ways(probe: Callable[..., None]) -> None:
    def echo(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    with serving(echo) as url:
        sizes = (0, 1, 125, 126, 65_535, 65_536, 65_537, 1_000_003, 4_000_000)
        probe(url, "open", *(f"echo:{size}" for size in sizes), "close:1000", "closed:1000")


def test_fragments_become_one_frame(probe: Callable[..., None]) -> None:
    def fragments(connection: ServerConnection) -> None:
        whole = connection.recv()
        assert isinstance(whole, bytes)
        connection.send(whole[i : i + 100] for i in range(0, len(whole), 100))
        text = connection.recv()
        assert isinstance(text, str)
        connection.send(text[i : i + 7] for i in range(0, len(text), 7))
        connection.recv()

    with serving(fragments) as url:
        probe(url, "open", "echo:70000", "close:1000", "closed:1000")


@pytest.mark.parametrize("code", [1000, 1001, 4002, 4011])
def test_the_peers_close_code_arrives_after_its_frames(
    code: int, probe: Callable[..., None]
) -> None:
    def close(connection: ServerConnection) -> None:
        for number in range(3):
            connection.send(struct.pack("<i", number))
        connection.close(code, "for a reason")

    with serving(close) as url:
        probe(url, f"closed:{code}", "drain:3")


def test_a_reader_that_looks_away_gets_everything_later(probe: Callable[..., None]) -> None:
    """20 MB: more than the transport queues, so it must stop reading and go on."""
    payload = bytes(996)

    def flood(connection: ServerConnection) -> None:
        for number in range(20_000):
            connection.send(struct.pack("<i", number) + payload)
        connection.recv()

    with serving(flood) as url:
        probe(url, "open", "idle:300", "drain:20000", "close:1000")


def test_nobody_is_there_or_it_is_no_websocket(probe: Callable[..., None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    probe(f"ws://127.0.0.1:{port}/", "closed:1006")

    def talk_http(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as http:
        thread = threading.Thread(target=talk_http, args=(http,))
        thread.start()
        probe(f"ws://127.0.0.1:{http.getsockname()[1]}/", "closed:1006")
        thread.join()


def test_a_connection_that_breaks_is_closed_with_1006(probe: Callable[..., None]) -> None:
    def vanish(connection: ServerConnection) -> None:
        connection.send("last words")
        connection.socket.shutdown(socket.SHUT_RDWR)

    with serving(vanish) as url:
        probe(url, "closed:1006")


@pytest.mark.parametrize("steps", [(), ("abort", "closed:1006")], ids=["left", "aborted"])
def test_a_handshake_that_never_ends_keeps_no_game_from_quitting(
    steps: tuple[str, ...], program: Path
) -> None:
    """Play on once the server has the request, which it never answers, and end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
        command = ["mono", str(program), url, "told", *steps]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(3) == b"GET"
                printed, _ = process.communicate(timeout=RUN_TIMEOUT_S)
        finally:
            process.kill()
            process.wait()
    assert printed.split() == [b"passed"]
