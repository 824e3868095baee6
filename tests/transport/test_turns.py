"""Turns of connections on real sockets: under TLS, and behind a proxy."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from transport.test_listener import Server, Start, start
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from callsheet_server.transport import door as door_module
from callsheet_server.transport import peer as peer_module
from callsheet_server.transport import tls_handshake as tls_module

__all__ = ["start"]

PROXIED = {"allowed_hosts": ["npc.example.org"]}


@pytest.fixture
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "CONNECTIONS_AT_ONCE", 1.0)
    monkeypatch.setattr(door_module, "CONNECTIONS_PER_S", 0.001)


@pytest.fixture
def tls(tmp_path: Path) -> tuple[dict[str, Path], ssl.SSLContext]:
    """Settings of a server with a certificate, and who trusts it."""
    authority, files = trustme.CA(), {}
    certificate = authority.issue_cert("localhost")
    for name, blobs in (
        ("tls_certificate", certificate.cert_chain_pems),
        ("tls_key", [certificate.private_key_pem]),
    ):
        files[name] = tmp_path / name
        files[name].write_bytes(b"".join(blob.bytes() for blob in blobs))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return files, trust


async def greeted(server: Server, *forwarded: str, **options: Any) -> ClientConnection:
    headers = [("X-Forwarded-For", address) for address in forwarded]
    socket = await connect(server.url, additional_headers=headers, compression=None, **options)
    await socket.send("hello")
    assert await socket.recv() == "hello"
    return socket


async def refused(server: Server, forwarded: str) -> int:
    with pytest.raises(InvalidStatus) as caught:
        await greeted(server, forwarded, open_timeout=None)
    return caught.value.response.status_code


async def test_a_tls_handshake_waits_for_its_turn(
    start: Start,
    tls: tuple[dict[str, Path], ssl.SSLContext],
    one_at_once: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files, trust = tls
    begun: list[asyncio.Transport] = []
    shake_hands = tls_module.shake_hands

    async def counted(transport: asyncio.Transport, context: ssl.SSLContext) -> Any:
        begun.append(transport)
        return await shake_hands(transport, context)

    async def knock() -> None:
        with contextlib.suppress(OSError):
            await asyncio.open_connection("localhost", server.listener.port, ssl=trust)

    monkeypatch.setattr(peer_module, "shake_hands", counted)
    server = await start(**files)
    url = f"wss://localhost:{server.listener.port}/"
    async with connect(url, ssl=trust, compression=None) as socket:
        await socket.send("x" * 10_000)
        assert await socket.recv() == "x" * 10_000
        knocks = asyncio.as_completed([knock() for _ in range(3)])
        for _ in range(2):
            await next(knocks)
        assert len(begun) == 1
    await server.listener.close()
    await next(knocks)
    assert len(begun) == 1, "the end of the server leaves nobody standing"


async def test_tls_without_a_handshake_leaves_nothing_behind(
    start: Start, tls: tuple[dict[str, Path], ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    server = await start(**tls[0])
    for last in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b""):
        reader, writer = await asyncio.open_connection("localhost", server.listener.port)
        writer.write(last)
        if last != b"GET / HTTP/1.1\r\n\r\n":
            writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
    await server.listener.close()
    assert server.echoes == []
    assert [r for r in caplog.records if r.name != "websockets.server"] == []


async def test_clients_behind_a_proxy_have_turns_of_their_own(
    start: Start, one_at_once: None
) -> None:
    server = await start(**PROXIED)
    sockets = [await greeted(server, "10.0.0.9", f"203.0.113.{i}") for i in range(5)]
    assert [echo.outbox.address for echo in server.echoes] == [f"203.0.113.{i}" for i in range(5)]
    more = [asyncio.create_task(refused(server, f"10.0.0.{i}, 203.0.113.0")) for i in range(3)]
    done = asyncio.as_completed(more)
    assert [await next(done) for _ in range(2)] == [429, 429], "the third waits for its turn"
    for task in more:
        task.cancel()
    for socket in sockets:
        await socket.close()


async def test_a_proxy_that_names_nobody_is_counted_as_one_client(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start(**PROXIED)
    for named in ((), ("unknown",), ("203.0.113.1, _hidden",)):
        await (await greeted(server, *named)).close()
    assert {echo.outbox.address for echo in server.echoes} == {"127.0.0.1"}


async def test_without_a_proxy_nobody_chooses_an_address(start: Start) -> None:
    server = await start()
    await (await greeted(server, "203.0.113.1")).close()
    assert [echo.outbox.address for echo in server.echoes] == ["127.0.0.1"]
