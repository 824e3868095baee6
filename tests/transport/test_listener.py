"""The listener on real sockets, with a receiver that answers every frame."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame
from websockets.protocol import State
from websockets.uri import parse_uri

from callsheet_server.limits.settings import LimitSettings
from callsheet_server.transport import listener as listener_module
from callsheet_server.transport.listener import Binding, Listener, bind
from callsheet_server.transport.outbox import MAX_UNRELIABLE_FRAMES, Outbox
from callsheet_server.transport.settings import ServerSettings


class Echo:
    """A receiver that sends back what it gets, and remembers what happened to it."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.frames: list[str | bytes] = []
        self.timed_out_s: float | None = None
        self.problem: str | None = None
        self.lost_with: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def ready(self) -> None:
        pass

    def receive(self, frame: str | bytes) -> None:
        self.frames.append(frame)
        if frame == "fail":
            raise RuntimeError("a bug")
        self.outbox.send(frame.encode() if isinstance(frame, str) else frame)

    def refuse(self, problem: str) -> None:
        self.problem = problem
        self.outbox.close(4001, "unauthorized")

    def hello_timeout(self, timeout_s: float) -> None:
        self.timed_out_s = timeout_s
        self.outbox.close(4004, "hello_timeout")

    def flooded(self, problem: str) -> None:
        self.problem = problem
        self.outbox.close(4009, "flooding")

    def too_large(self, limit_bytes: int) -> bytes:
        return f"at most {limit_bytes} bytes".encode()

    def lost(self, close_code: int) -> None:
        self.lost_with.set_result(close_code)


class Server:
    """A listener and the receivers it made."""

    def __init__(self, binding: Binding, settings: ServerSettings) -> None:
        self.echoes: list[Echo] = []
        self.listener = Listener(
            binding,
            settings,
            LimitSettings(max_message_bytes=65_536, max_tick_bytes=65_536),
            self._connect,
            {},
            lambda token: True,
        )

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.listener.port}/"

    def _connect(self, outbox: Outbox) -> Echo:
        self.echoes.append(Echo(outbox))
        return self.echoes[-1]


Start = Callable[..., Awaitable[Server]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    servers: list[Server] = []

    async def start(**settings: Any) -> Server:
        chosen = ServerSettings(port=0, **settings)
        servers.append(Server(await bind(chosen), chosen))
        await servers[-1].listener.start()
        return servers[-1]

    yield start
    for server in servers:
        await server.listener.close()
        assert all(echo.lost_with.done() for echo in server.echoes)


async def test_text_and_binary_frames_arrive_as_what_they_are(start: Start) -> None:
    server = await start()
    async with connect(server.url) as socket:
        await socket.send("text")
        await socket.send(b"binary")
        assert await socket.recv() == "text"
        assert await socket.recv() == "binary"  # The server sends text only.
    assert server.echoes[0].frames == ["text", b"binary"]


async def test_there_is_no_compression(start: Start) -> None:
    server = await start()
    async with connect(server.url, compression="deflate") as socket:
        assert socket.protocol.extensions == []


async def test_a_peer_may_dribble(start: Start) -> None:
    """Handshake and frames, byte by byte, a message in fragments."""
    server = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.listener.port)
    protocol = ClientProtocol(parse_uri(server.url))
    protocol.send_request(protocol.connect())

    async def dribble() -> None:
        for data in protocol.data_to_send():
            for byte in data:
                writer.write(bytes([byte]))
                await asyncio.sleep(0)

    await dribble()
    while protocol.state is State.CONNECTING:
        protocol.receive_data(await reader.read(100))
    protocol.send_text(b"drib", fin=False)
    protocol.send_continuation(b"ble", fin=True)
    await dribble()
    events: list[Any] = []
    while not any(isinstance(event, Frame) for event in events):
        protocol.receive_data(await reader.read(1))
        events += protocol.events_received()
    assert events[-1].data == b"dribble"
    writer.close()
    await writer.wait_closed()
    assert await server.echoes[0].lost_with == 1006


@pytest.mark.parametrize("code", [1000, 1001, 4000])
async def test_the_code_of_the_side_that_closed_is_told(start: Start, code: int) -> None:
    server = await start()
    async with connect(server.url) as socket:
        await socket.send("hi")
        await socket.recv()
        await socket.close(code)
    assert await server.echoes[0].lost_with == code


async def test_what_is_queued_is_written_before_the_close(start: Start) -> None:
    server = await start()
    async with connect(server.url) as socket:
        await socket.send("hi")
        await socket.recv()
        for number in range(50):
            server.echoes[0].outbox.send(b"%d" % number)
        server.echoes[0].outbox.close(4009, "flooding")
        assert [await socket.recv() for _ in range(50)] == [str(n) for n in range(50)]
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4009, "flooding")


async def test_a_frame_too_large_for_any_use_ends_the_connection(start: Start) -> None:
    server = await start()
    async with connect(server.url) as socket:
        await socket.send("x" * 70_000)
        assert await server.echoes[0].lost_with == 1009
    assert server.echoes[0].frames == []


async def test_text_that_is_not_utf_8_ends_the_connection(start: Start) -> None:
    server = await start()
    async with connect(server.url) as socket:
        await socket.send(b"\xff\xfe", text=True)
        assert await server.echoes[0].lost_with == 1007


async def test_an_error_in_a_receiver_costs_its_connection_only(start: Start) -> None:
    server = await start()
    async with connect(server.url) as socket, connect(server.url) as other:
        await socket.send("fail")
        await socket.wait_closed()
        assert socket.close_code == 1011
        await other.send("hi")
        assert await other.recv() == "hi"


async def test_the_hello_timeout_is_told_once(start: Start) -> None:
    server = await start(hello_timeout_s=0.02)
    async with connect(server.url) as socket:
        await socket.wait_closed()
        assert socket.close_code == 4004
    assert server.echoes[0].timed_out_s == 0.02


async def test_a_peer_that_reads_nothing_holds_bounded_memory_and_is_dropped(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener_module, "CLOSE_TIMEOUT_S", 0.02)
    server = await start()
    async with connect(server.url) as socket:
        await socket.send("hi")
        await socket.recv()
        socket.transport.pause_reading()
        outbox = server.echoes[0].outbox
        for number in range(2_000):
            outbox.send(bytes(60_000), f"npc_states/{number}")
            if number % 50 == 0:
                await asyncio.sleep(0)
        assert outbox.waiting <= MAX_UNRELIABLE_FRAMES
        assert outbox.dropped > 1_000
        outbox.close(4008, "slow_consumer")
        assert await server.echoes[0].lost_with == 1006
        socket.transport.abort()


async def test_closing_sends_everybody_away_and_takes_nobody_in(start: Start) -> None:
    server = await start()
    async with connect(server.url) as one, connect(server.url) as two:
        port = server.listener.port
        await one.send("hi")
        await one.recv()
        server.echoes[0].outbox.close(4010, "draining")
        await server.listener.close()
        await one.wait_closed()
        await two.wait_closed()
        assert (one.close_code, two.close_code) == (4010, 1001)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    await server.listener.close()


async def test_a_connection_that_was_lost_is_told_of(start: Start) -> None:
    server = await start()
    async with connect(server.url) as socket:
        await socket.send("hi")
        await socket.recv()
        socket.transport.abort()
        assert await server.echoes[0].lost_with == 1006
