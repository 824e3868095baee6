"""Connections to an endpoint: kept, given up, and by way of a proxy."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing, suppress

import pytest
from aiohttp import web
from engine.harness import Talk
from engine.openai.conftest import Meet
from engine.openai.endpoints import OK, Endpoint, chunk, chunks, stream
from waiting import until

from callsheet_server.engine import http
from callsheet_server.engine.engine import Delta
from callsheet_server.engine.errors import EngineUnavailableError
from callsheet_server.engine.http import proxy_for
from callsheet_server.engine.openai.engine import OpenAIEngine
from callsheet_server.engine.openai.settings import OpenAISettings


async def test_replies_share_a_connection_though_the_response_ends_late(meet: Meet) -> None:
    endpoint, talk = await meet()
    told = asyncio.Event()
    endpoint.before_end = told.wait
    bram = talk.npc("bram")
    for _ in range(4):
        told.clear()
        assert await talk.say(bram) == OK  # It does not wait for the response's end.
        assert endpoint.open == 1
        told.set()
        await until(lambda: endpoint.open == 0)
    assert len(endpoint.connections) == 1


async def test_a_reply_right_after_another_waits_for_its_connection(
    meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "REUSE_TIMEOUT_S", 20.0)
    endpoint, talk = await meet()
    told = asyncio.Event()
    endpoint.before_end = told.wait
    bram = talk.npc("bram")
    assert await talk.say(bram) == OK
    again = asyncio.create_task(talk.say(bram))
    await asyncio.sleep(0)
    told.set()
    assert await again == OK
    assert len(endpoint.connections) == 1


async def test_a_response_that_does_not_end_holds_nobody_up(meet: Meet) -> None:
    endpoint, talk = await meet()
    told = asyncio.Event()
    endpoint.before_end = told.wait
    bram = talk.npc("bram")
    assert [await talk.say(bram) for _ in range(2)] == [OK, OK]
    assert len(endpoint.connections) == 2
    told.set()
    await until(lambda: endpoint.open == 0)


async def test_closing_drops_a_response_that_has_not_ended(meet: Meet) -> None:
    endpoint, talk = await meet()
    told = asyncio.Event()
    endpoint.before_end = told.wait
    assert await talk.say(talk.npc("bram")) == OK
    await talk.engine.close()
    gc.collect()  # A connection that was forgotten warns when it is collected.
    told.set()
    await until(lambda: endpoint.open == 0)


async def test_a_reply_that_is_cut_gives_its_connection_up(meet: Meet) -> None:
    endpoint, talk = await meet(lambda _: chunks("Aye, ", "come in."))
    forever = asyncio.Event()
    endpoint.before_end = forever.wait
    endpoint.answer = lambda _: stream(chunk("Aye, "), chunk("come in."), done=False)
    bram = talk.npc("bram")
    assert await talk.say(bram, stop=(",",)) == "Aye"
    async with aclosing(talk.engine.submit(talk.request(bram))) as items:
        assert isinstance(await anext(items), Delta)
    endpoint.answer = lambda _: chunks("Aye.")
    assert await talk.say(bram) == "Aye."
    assert len(endpoint.connections) == 3
    forever.set()
    await until(lambda: endpoint.open == 0)


async def test_a_connection_that_the_endpoint_gave_up_is_replaced() -> None:
    """The endpoint reads a second request on a kept connection and hangs up, as some do."""
    served = 0
    body = chunks("Aye, ", "come in.")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            for number in range(2):
                request = await reader.readuntil(b"\r\n\r\n")
                length = int(request.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                if number == 1:
                    break
                served += 1
                writer.write(head % len(body) + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Endpoint() as listing:
        engine = OpenAIEngine(OpenAISettings(url=listing.url, model="m"))
        await engine.start(lambda _: None)
        assert engine._server is not None
        engine._server.url = f"http://127.0.0.1:{port}"
        talk = Talk(engine)
        bram = talk.npc("bram")
        for _ in range(3):
            assert await talk.say(bram) == OK
        await engine.close()
    assert served == 3
    server.close()
    await server.wait_closed()


async def test_a_proxy_of_the_environment_is_used(
    meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def forward(request: web.BaseRequest) -> web.Response:
        asked.append(request.raw_path if request.method != "CONNECT" else request.path)
        if request.path.endswith("/models"):
            return web.json_response({"data": [{"id": "m"}]})
        return web.Response(body=chunks("Aye."), content_type="text/event-stream")

    runner = web.ServerRunner(web.Server(forward))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    _, talk = await meet(url="http://models.example/v1")
    assert await talk.say(talk.npc("bram")) == "Aye."
    assert asked == [
        "http://models.example/v1/models",
        "http://models.example/v1/chat/completions",
    ]
    _, local = await meet()
    assert await local.say(local.npc("bram")) == OK
    assert len(asked) == 2
    await runner.cleanup()


@pytest.mark.parametrize(
    ("url", "proxied"),
    [
        ("https://models.example/v1", True),
        ("https://models.example:8443/v1", True),
        ("http://models.example/v1", False),
        ("https://inside.example/v1", False),
        ("https://localhost/v1", False),
        ("https://127.0.0.2:1/v1", False),
        ("https://[::1]:1/v1", False),
    ],
)
def test_who_is_reached_by_a_proxy(
    url: str, proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for(url) == ("http://proxy.example:3128" if proxied else None)


async def test_a_proxy_that_is_away_is_told(meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    _, talk = await meet(url="http://models.example/v1")
    with pytest.raises(EngineUnavailableError, match="cannot be reached"):
        await talk.say(talk.npc("bram"))
