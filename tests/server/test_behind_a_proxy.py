"""Requests as proxies hand them on, and servers that are not there at all."""

from __future__ import annotations

import asyncio

import pytest
from server.client import Client
from server.conftest import StartServer
from waiting import PATIENCE_S

import callsheet

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="


async def ask(port: int, path: str, *headers: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
    writer.write("\r\n".join(request).encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics"])
async def test_a_proxy_may_say_upgrade_with_every_page(
    start_server: StartServer, path: str
) -> None:
    server = await start_server()
    answer = await ask(server.port, path, "Connection: upgrade")
    assert answer.startswith("HTTP/1.1 200 ")


async def test_a_handshake_without_its_upgrade_header_is_told_of(start_server: StartServer) -> None:
    server = await start_server()
    answer = await ask(server.port, "/", "Connection: close", "Sec-WebSocket-Version: 13", KEY)
    assert answer.startswith("HTTP/1.1 426 ")
    assert "a proxy in between does not pass it on" in answer
    async with Client(server.port) as game:
        assert game.welcome.session


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        ("426 Upgrade Required", "a proxy in between", "status 426 .*: a proxy in between"),
        ("404 Not Found", "<html>no</html>", "status 404 .*is the path right"),
        ("200 OK", "<html>hello</html>", "status 200 .*does the proxy pass Upgrade on"),
    ],
)
@pytest.mark.parametrize("blocking", [False, True])
async def test_whoever_answers_and_is_no_server_is_told_at_once(
    status: str, body: str, told: str, blocking: bool
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as proxy:
        url = f"ws://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        settings = callsheet.ClientSettings(connect_timeout_s=10 * PATIENCE_S)

        def connect() -> None:
            with callsheet.blocking.connect(url, role="game", world="w", settings=settings):
                pass

        async def enter() -> None:
            if blocking:
                await asyncio.to_thread(connect)
                return
            async with callsheet.connect(url, role="game", world="w", settings=settings):
                pass

        with pytest.raises(callsheet.ConnectFailedError, match=told):
            await enter()
