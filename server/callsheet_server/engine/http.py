"""HTTP to a server that runs a model: JSON, bytes and event streams.

Every failure is raised as ``http_errors.py`` says.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import orjson
from pydantic import SecretStr

from callsheet_server.engine.engine import at_once
from callsheet_server.engine.errors import (
    EngineUnavailableError,
    GenerationError,
    ModelLoadingError,
)
from callsheet_server.engine.http_errors import error_for_event, error_for_status
from callsheet_server.engine.sse import DONE, EventReader, EventStreamError

__all__ = ["ModelServer", "proxy_for"]

CONNECT_TIMEOUT_S: Final = 5.0
LOADING_PATIENCE_S: Final = 120.0
"""Longest wait for a model server that says when it will have loaded its model."""
LOADING_POLL_S: Final = 0.5
DRAIN_TIMEOUT_S: Final = 2.0
"""Longest time from a stream's ``DONE`` to the end of its response."""
REUSE_TIMEOUT_S: Final = 0.05
"""Longest wait of a request for a connection that is about to be free: less than a handshake
takes with a distant server."""


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for ``url``; None for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class ModelServer:
    """A client of one model server; connections are kept and shared by its requests.

    Must be closed.
    """

    def __init__(
        self,
        name: str,
        url: str,
        api_key: SecretStr | None = None,
        *,
        silence_s: float = 60.0,
        proxy: str | None = None,
        keep_alive: bool = True,
    ) -> None:
        """Make the client; nothing is connected.

        Args:
            name: what the server is called in errors.
            url: of the server.
            api_key: sent as a bearer token, and kept out of every error.
            silence_s: how long the server may send nothing.
            proxy: URL of the proxy to go through.
            keep_alive: False = a connection per request, for a server that gives up kept ones
                without a word.
        """
        self.name = name
        self.url = url.rstrip("/")
        self._secret = api_key.get_secret_value().encode() if api_key else b""
        headers = {"Authorization": f"Bearer {self._secret.decode()}"} if api_key else {}
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=0, force_close=not keep_alive),
            proxy=proxy,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=silence_s
            ),
            json_serialize=lambda value: orjson.dumps(value).decode(),
        )
        self._draining: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Drop the connections; who waits for an answer must stop by itself. Twice is fine."""
        for task in self._draining:
            task.cancel()
        await asyncio.gather(*self._draining, return_exceptions=True)
        await self._session.close()

    async def get_json(self, path: str, *, timeout_s: float | None = None, **query: Any) -> Any:
        """The JSON answer. Raises ``EngineError``."""
        return self._json(await self.get(path, timeout_s=timeout_s, **query))

    async def get(self, path: str, *, timeout_s: float | None = None, **query: Any) -> bytes:
        """The answer's body. Raises ``EngineError``."""
        options: dict[str, Any] = {"params": query}
        if timeout_s is not None:
            options["timeout"] = aiohttp.ClientTimeout(total=timeout_s)
        async with self._request("GET", path, **options) as response:
            return await response.read()

    async def post(self, path: str, *, json: Any = None, body: bytes | None = None) -> bytes:
        """The answer's body. Raises ``EngineError``."""
        async with self._request("POST", path, json=json, data=body) as response:
            return await response.read()

    async def stream(
        self,
        path: str,
        json: Any,
        gather_s: Callable[[], float] = at_once,
        *,
        latest_only: bool = False,
    ) -> AsyncGenerator[list[Any]]:
        """Post, and yield the JSON objects of server-sent events; ``DONE`` at the last, alone.

        ``gather_s`` is asked before each look at what has come: for so long the socket is left
        alone, and the events of that time come in one list; with ``latest_only``, the last of them
        and not the others, as it repeats what they said. An answer that is one JSON body counts
        as one event and ``DONE``. A stream that ends without ``DONE`` just ends. A server that is
        loading its model (503 with ``Retry-After``) is asked
        again for ``LOADING_PATIENCE_S``. Closing the generator before ``DONE`` closes the
        connection, by which most servers end the request; after it, the connection is kept for the
        next request.

        Raises:
            EngineError: also in the midst of the stream, if an event has an ``error``.
        """
        if self._draining:
            await asyncio.wait(
                self._draining, timeout=REUSE_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
        with self._mapped_errors():
            response = await self._open_when_loaded(path, json)
            ended = False
            try:
                async with contextlib.aclosing(
                    self._events(response, gather_s, latest_only)
                ) as batches:
                    async for events in batches:
                        if ended := events[-1] is DONE:
                            events.pop()
                        for at, event in enumerate(events):
                            if said := event.get("error"):
                                if at:
                                    yield events[:at]
                                told = self._without_key(orjson.dumps(said))
                                raise error_for_event(self.name, orjson.loads(told))
                        if events:
                            yield events
                        if ended:
                            break
            finally:
                if ended:
                    self._drain(response)
                else:
                    response.close()
            if ended:
                yield [DONE]

    async def _events(
        self,
        response: aiohttp.ClientResponse,
        gather_s: Callable[[], float],
        latest_only: bool,
    ) -> AsyncGenerator[list[Any]]:
        """Yield what has come, never empty; nothing comes after ``DONE``."""
        if response.content_type == "application/json":
            body = self._json(await response.read())
            if not isinstance(body, dict):
                raise GenerationError(f"{self.name} answers with what is no JSON object")
            yield [body, DONE]
            return
        if response.content_type == "text/html":
            raise GenerationError(f"{self.name} answers with a web page; is its URL right?")
        reader = EventReader(latest_only=latest_only)
        events: list[Any] = []
        try:
            async for piece in response.content.iter_any():
                for event in reader.feed(piece):
                    events.append(event)
                    if event is DONE:
                        break
                if events:
                    yield events
                    events = []
                if (wait_s := gather_s()) > 0:
                    await _leave_alone(response, wait_s)
            events.extend(reader.end())
        except EventStreamError as error:
            if events:
                yield events
            raise GenerationError(f"{self.name} sends {error}") from error
        if events:
            yield events

    def _drain(self, response: aiohttp.ClientResponse) -> None:
        """Read to the end of the response, in the background: then its connection can be kept."""

        async def read() -> None:
            with contextlib.suppress(TimeoutError, aiohttp.ClientError, ConnectionError):
                async with asyncio.timeout(DRAIN_TIMEOUT_S):
                    async for _ in response.content.iter_any():
                        pass

        def close(task: asyncio.Task[None]) -> None:  # Also of a task that never began.
            self._draining.discard(task)
            response.close()

        task = asyncio.create_task(read())
        self._draining.add(task)
        task.add_done_callback(close)

    @contextlib.asynccontextmanager
    async def _request(
        self, method: str, path: str, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        with self._mapped_errors():
            async with await self._open(method, path, **options) as response:
                yield response

    async def _open_when_loaded(self, path: str, json: Any) -> aiohttp.ClientResponse:
        deadline_s = asyncio.get_running_loop().time() + LOADING_PATIENCE_S
        while True:
            try:
                return await self._open("POST", path, json=json)
            except ModelLoadingError as error:
                if asyncio.get_running_loop().time() + error.retry_after_s > deadline_s:
                    raise
                await asyncio.sleep(max(error.retry_after_s, LOADING_POLL_S))

    async def _open(self, method: str, path: str, **options: Any) -> aiohttp.ClientResponse:
        """The response, whose status is below 400. To be closed."""
        try:
            response = await self._session.request(method, self.url + path, **options)
        except aiohttp.ServerDisconnectedError:  # It gave up a connection kept from an earlier one.
            response = await self._session.request(method, self.url + path, **options)
        if response.status >= 400:
            async with response:
                said = await response.read()
            retry_after = response.headers.get("Retry-After")
            raise error_for_status(self.name, response.status, self._without_key(said), retry_after)
        return response

    def _without_key(self, said: bytes) -> bytes:
        return said.replace(self._secret, b"(key)") if self._secret else said

    @contextlib.contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise EngineUnavailableError(f"{self.name} does not answer") from error
        except aiohttp.ClientConnectorError as error:
            raise EngineUnavailableError(f"{self.name} cannot be reached") from error
        except aiohttp.InvalidURL as error:
            raise EngineUnavailableError(f"{self.name}: {self.url} is no URL") from error
        except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not self._session.closed:
                raise
            raise EngineUnavailableError(f"the connection to {self.name} was lost") from error

    def _json(self, data: bytes) -> Any:
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise GenerationError(f"{self.name} answers with what is no JSON") from error


async def _leave_alone(response: aiohttp.ClientResponse, wait_s: float) -> None:
    """Let what is sent lie in the socket for a while, to be read in one go."""
    transport = None if response.connection is None else response.connection.transport
    if not isinstance(transport, asyncio.ReadTransport) or not transport.is_reading():
        return  # All has been read, or the reader is behind already.
    transport.pause_reading()
    try:
        await asyncio.sleep(wait_s)
    finally:
        transport.resume_reading()
