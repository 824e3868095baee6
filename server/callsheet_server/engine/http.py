"""HTTP to a server that runs a model: JSON, bytes and event streams; every failure mapped here.

| what happens | what is raised |
|---|---|
| no connection, connection lost, silence, 502, 504 | ``EngineUnavailableError`` |
| 401, 403 | ``EngineUnavailableError``, naming the key |
| 429, 503 | ``EngineOverloadedError`` with the server's ``Retry-After`` |
| any other status from 400 on | ``GenerationError``; ``ContextTooLongError`` if it says so |
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

import aiohttp
import orjson
from pydantic import SecretStr

from callsheet_server.engine.errors import (
    ContextTooLongError,
    EngineError,
    EngineOverloadedError,
    EngineUnavailableError,
    GenerationError,
)

__all__ = ["ModelServer", "error_for_event", "error_for_status"]

RETRY_AFTER_S: Final = 1.0
"""When to come back if the server does not say."""
CONNECT_TIMEOUT_S: Final = 5.0
MAX_DETAIL_CHARS: Final = 300
"""Of what the server says about a failure."""
TOO_LONG = re.compile(
    r"context.{0,20}(length|window|size|limit)|(input|prompt).{0,40}(too long|longer than|exceeds)",
    re.IGNORECASE | re.DOTALL,
)


class ModelServer:
    """A client of one model server; connections are kept and shared by its requests.

    Must be closed.
    """

    def __init__(
        self, name: str, url: str, api_key: SecretStr | None = None, *, silence_s: float = 60.0
    ) -> None:
        """``name``: what it is called in errors; ``silence_s``: how long it may send nothing."""
        self.name = name
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {api_key.get_secret_value()}"} if api_key else {}
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=silence_s
            ),
            json_serialize=lambda value: orjson.dumps(value).decode(),
        )

    async def close(self) -> None:
        """Drop the connections; who waits for an answer must stop by itself. Twice is fine."""
        await self._session.close()

    async def get_json(self, path: str, **query: Any) -> Any:
        """The JSON answer. Raises ``EngineError`` as the table above says."""
        return _json(await self.get(path, **query), self.name)

    async def get(self, path: str, *, timeout_s: float | None = None, **query: Any) -> bytes:
        """The answer's body. Raises ``EngineError`` as the table above says."""
        async with self._request("GET", path, timeout_s=timeout_s, params=query) as response:
            return await response.read()

    async def post(self, path: str, *, json: Any = None, body: bytes | None = None) -> bytes:
        """The answer's body. Raises ``EngineError`` as the table above says."""
        async with self._request("POST", path, json=json, data=body) as response:
            return await response.read()

    async def stream(self, path: str, json: Any) -> AsyncGenerator[Any]:
        """Post, and yield the JSON of every server-sent event but the closing ``[DONE]``.

        Closing the generator closes the connection, by which most servers end the request.

        Raises:
            EngineError: as the table above says, also in the midst of the stream.
        """
        async with self._request("POST", path, json=json) as response:
            async for line in response.content:
                data = line.strip()
                if not data.startswith(b"data:"):
                    continue  # A comment, an event's name, or the empty line between two events.
                data = data.removeprefix(b"data:").strip()
                if data == b"[DONE]":
                    return
                yield _json(data, self.name)

    @contextlib.asynccontextmanager
    async def _request(
        self, method: str, path: str, timeout_s: float | None = None, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if timeout_s is not None:
            options["timeout"] = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._session.request(method, self.url + path, **options) as response:
                if response.status >= 400:
                    raise error_for_status(
                        self.name,
                        response.status,
                        await response.read(),
                        response.headers.get("Retry-After"),
                    )
                yield response
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


def error_for_status(
    name: str, status: int, body: bytes = b"", retry_after: str | None = None
) -> EngineError:
    """The error that stands for an HTTP status; ``body`` is what the server says about it."""
    detail = _detail(body)
    if status in (401, 403):
        return EngineUnavailableError(f"{name} refuses the API key (status {status})")
    if status in (429, 503):
        wait = f"{name} is overloaded{f': {detail}' if detail else ''}"
        return EngineOverloadedError(wait, _seconds(retry_after))
    if status in (502, 504):
        return EngineUnavailableError(f"{name} cannot be reached (status {status})")
    if status in (400, 413, 422) and TOO_LONG.search(detail):
        return ContextTooLongError(f"{name}: {detail}")
    return GenerationError(f"{name} answers status {status}{f': {detail}' if detail else ''}")


def error_for_event(name: str, said: Any) -> EngineError:
    """The error that stands for what a stream says in an event's ``error``."""
    code = said.get("code") if isinstance(said, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return error_for_status(name, status, orjson.dumps({"error": said}))


def _detail(body: bytes) -> str:
    """What an error's body says in words, whoever wrote it."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = body.decode(errors="replace")
    while isinstance(said, dict):
        said = next((said[key] for key in ("error", "message", "detail") if key in said), str(said))
    return str(said).strip()[:MAX_DETAIL_CHARS]


def _seconds(retry_after: str | None) -> float:
    try:
        return max(0.0, float(retry_after or RETRY_AFTER_S))
    except ValueError:  # It may be a date, too.
        return RETRY_AFTER_S


def _json(data: bytes, name: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise GenerationError(f"{name} answers with what is no JSON") from error
