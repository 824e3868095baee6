"""Text gathered at the socket: one look for the events of a while, none of them lost or late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from callsheet_server.engine.errors import GenerationError
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.sse import DONE

Answer = Callable[[web.StreamResponse], Any]


async def read(server: ModelServer, told: list[Any]) -> None:
    """Read a stream into ``told``."""
    async for events in server.stream("/stream", {}):
        told += events


@asynccontextmanager
async def model_server(answer: Answer) -> AsyncIterator[ModelServer]:
    """A model server whose streams are what ``answer`` writes."""

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await answer(response)
        return response

    app = web.Application()
    app.router.add_post("/stream", stream)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = ModelServer("test", f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield server
    finally:
        await server.close()
        await runner.cleanup()


async def test_what_comes_while_text_is_gathered_comes_in_one_list() -> None:
    told, written = asyncio.Event(), asyncio.Event()

    async def answer(response: web.StreamResponse) -> None:
        await response.write(b'data: {"n": 0}\n\n')
        await told.wait()
        for n in range(1, 6):
            await response.write(b'data: {"n": %d}\n\n' % n)
        written.set()
        await response.write(b"data: [DONE]\n\n")

    async with model_server(answer) as server:
        batches: list[list[Any]] = []

        def gather_s() -> float:
            return 0.2 if batches and not written.is_set() else 0.0

        async with aclosing(server.stream("/stream", {}, gather_s)) as stream:
            async for events in stream:
                batches.append(events)
                told.set()
    assert batches[0] == [{"n": 0}]
    assert [event for events in batches for event in events] == [
        *({"n": n} for n in range(6)),
        DONE,
    ]
    assert len(batches) < 7


async def test_the_events_before_a_broken_one_are_told_first() -> None:
    async def answer(response: web.StreamResponse) -> None:
        await response.write(b'data: {"n": 0}\n\ndata: {"n": 1}\n\ndata: {\n\n')

    async with model_server(answer) as server:
        told: list[Any] = []
        with pytest.raises(GenerationError, match="no JSON"):
            await read(server, told)
    assert told == [{"n": 0}, {"n": 1}]


async def test_the_events_before_an_error_are_told_first() -> None:
    async def answer(response: web.StreamResponse) -> None:
        await response.write(b'data: {"n": 0}\n\ndata: {"error": {"message": "no"}}\n\n')

    async with model_server(answer) as server:
        told: list[Any] = []
        with pytest.raises(GenerationError, match="no"):
            await read(server, told)
    assert told == [{"n": 0}]


async def test_a_stream_that_ends_while_text_is_gathered_is_read_to_its_end() -> None:
    async def answer(response: web.StreamResponse) -> None:
        for n in range(3):
            await response.write(b'data: {"n": %d}\n\n' % n)

    async with model_server(answer) as server:
        told = [e async for events in server.stream("/stream", {}, lambda: 0.01) for e in events]
    assert told == [{"n": n} for n in range(3)]
