"""Fake endpoints of the OpenAI protocol: real HTTP over loopback, one answer per kind of server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import orjson
from aiohttp import web

__all__ = ["Answer", "Endpoint", "chunk", "chunks", "refuse", "stream", "words"]

Answer = Callable[[dict[str, Any]], web.Response | bytes | Sequence[bytes]]
"""From a request's body to the response, or to what is written of an event stream, in pieces."""
OK = "Aye, come in."


def chunk(content: Any = None, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """One chunk of a chat completion."""
    if content is not None:
        delta["content"] = content
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def words(*pieces: str) -> list[dict[str, Any]]:
    return [chunk(piece) for piece in pieces]


def stream(*events: Any, done: bool = True) -> bytes:
    """The bytes of an event stream."""
    whole = b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in events)
    return whole + (b"data: [DONE]\n\n" if done else b"")


def chunks(*pieces: str, finish: str | None = "stop") -> bytes:
    """A reply as most endpoints send it."""
    return stream(*words(*pieces), chunk(finish=finish))


def refuse(
    message: str, status: int = 400, headers: dict[str, str] | None = None, **more: Any
) -> web.Response:
    """An error as most endpoints send it."""
    error = {"error": {"message": message, **more}}
    return web.json_response(error, status=status, headers=headers)


class Endpoint:
    """Serves ``/v1``; keeps the bodies it gets and the connections they come by."""

    def __init__(self, answer: Answer | None = None, models: Sequence[str] = ("m",)) -> None:
        self.answer = answer or (lambda _: chunks("Aye, ", "come in."))
        self.models = models
        self.requests: list[dict[str, Any]] = []
        self.connections: set[Any] = set()
        self.open = 0
        """Replies being written."""
        self.before_end: Callable[[], Awaitable[object]] | None = None
        """Awaited between ``[DONE]`` and the end of the response."""
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": name} for name in self.models]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        answer = self.answer(body)
        if isinstance(answer, web.Response):
            return answer
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.open += 1
        try:
            for piece in [answer] if isinstance(answer, bytes) else answer:
                await response.write(piece)
                await asyncio.sleep(0)
            if self.before_end is not None:
                await self.before_end()
            with contextlib.suppress(ConnectionError):
                await response.write_eof()
        finally:
            self.open -= 1
        return response
