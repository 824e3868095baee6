"""A model server's failures as errors of ours.

| what happens | what is raised |
|---|---|
| no connection, connection lost, silence, 502, 504 | ``EngineUnavailableError`` |
| 401, 403 | ``EngineUnavailableError``, naming the key |
| 402; 429 and 400 for want of quota or credit | ``QuotaExhaustedError`` |
| 429, 503 | ``EngineOverloadedError`` with the server's ``Retry-After`` |
| 503 with ``Retry-After`` | ``ModelLoadingError``, a kind of it: see ``ModelServer.stream`` |
| 400, 413, 422 | ``ContextTooLongError`` if it says so, else ``RequestRefusedError`` |
| any other status from 400 on | ``GenerationError`` |

An error's text is for clients: one line without keys, accounts, addresses and paths. The server's
own words are a note of the error, for the log.
"""

from __future__ import annotations

import email.utils
import re
import time
from typing import Any, Final

import orjson

from callsheet_server.engine.errors import (
    ContextTooLongError,
    EngineError,
    EngineOverloadedError,
    EngineUnavailableError,
    GenerationError,
    ModelLoadingError,
    QuotaExhaustedError,
    RequestRefusedError,
)

__all__ = ["error_for_event", "error_for_status"]

RETRY_AFTER_S: Final = 1.0
"""Time to wait before another try, if the server names none."""
MAX_TOLD_CHARS: Final = 300
"""Characters of the server's words that a client is told at most."""
MAX_LOGGED_CHARS: Final = 2000
_TOO_LONG = re.compile(
    r"context.{0,20}(length|window|size|limit)|(input|prompt).{0,40}(too long|longer than|exceeds)",
    re.IGNORECASE | re.DOTALL,
)
_NO_QUOTA = re.compile(
    r"insufficient.{0,12}(quota|credit|balance|fund)|exceeded your current quota"
    r"|credit balance|billing.{0,20}limit",
    re.IGNORECASE,
)
_PRIVATE = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|org|proj|user|key|req)[-_](?=[\w*-]*[\d*])[\w*-]{4,}"
    r"|\bBearer\s+\S+|\b[a-z]+://\S+"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"
    r"|(?<![\w.])(?:[A-Za-z]:\\|~?/)(?:[\w.@+-]+[/\\])+[\w.@+-]*",  # paths of files
    re.IGNORECASE,
)
_STATUS_OF_CODE: Final = {
    "invalid_api_key": 401,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "overloaded_error": 503,
}


def error_for_status(
    name: str, status: int, body: bytes = b"", retry_after: str | None = None
) -> EngineError:
    """The error that stands for an HTTP status; ``body`` is what the server says about it."""
    said = _words(body)
    told = f": {shown}" if (shown := _without_private(said)) else ""
    error = _error(name, status, said, told, retry_after)
    if said:
        error.add_note(f"status {status}: {said[:MAX_LOGGED_CHARS]}")
    return error


def error_for_event(name: str, said: Any) -> EngineError:
    """The error that stands for what a stream says in an event's ``error``."""
    code = str(said.get("code") or said.get("type")) if isinstance(said, dict) else ""
    status = int(code) if code.isdecimal() else _STATUS_OF_CODE.get(code, 500)
    status = status if 400 <= status < 600 else 500
    return error_for_status(name, status, orjson.dumps({"error": said}))


def _error(name: str, status: int, said: str, told: str, retry_after: str | None) -> EngineError:
    if status == 401:
        return EngineUnavailableError(f"{name} refuses the API key (status 401)")
    if status == 403:
        return EngineUnavailableError(f"{name} refuses access with this API key (status 403){told}")
    if status == 402 or (status in (400, 429) and _NO_QUOTA.search(said) and not retry_after):
        return QuotaExhaustedError(f"{name}: the quota or credit of its account is used up{told}")
    if status == 429:
        limited = f"{name} limits the rate of requests{told}"
        return EngineOverloadedError(limited, _seconds(retry_after))
    if status == 503:
        kind = ModelLoadingError if retry_after else EngineOverloadedError
        return kind(f"{name} is overloaded or loading{told}", _seconds(retry_after))
    if status in (502, 504):
        return EngineUnavailableError(f"{name} cannot be reached (status {status}){told}")
    if status in (400, 413, 422):
        if _TOO_LONG.search(said):
            return ContextTooLongError(f"{name}{told}")
        return RequestRefusedError(f"{name} refuses the request (status {status}){told}", said)
    return GenerationError(f"{name} answers status {status}{told}")


def _words(body: bytes) -> str:
    """Message in an error's body, whoever wrote it."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = body.decode(errors="replace").strip()
        return "a web page; is the URL right?" if said.startswith("<") else said
    named = ""
    while isinstance(said, dict):
        label = said.get("param") or said.get("code")
        named = label if isinstance(label, str) else named
        said = next((said[key] for key in ("error", "message", "detail") if key in said), str(said))
    text = str(said).strip()
    return text if named in text else f"{text} ({named})"


def _without_private(said: str) -> str:
    line = said.partition("\n")[0]
    return _PRIVATE.sub("(hidden)", line)[:MAX_TOLD_CHARS]


def _seconds(retry_after: str | None) -> float:
    """Seconds from now, of what may be a number or a date (RFC 9110, section 10.2.3)."""
    try:
        return max(0.0, float(retry_after or RETRY_AFTER_S))
    except ValueError:
        pass
    try:
        return max(
            0.0, email.utils.parsedate_to_datetime(str(retry_after)).timestamp() - time.time()
        )
    except ValueError:
        return RETRY_AFTER_S
