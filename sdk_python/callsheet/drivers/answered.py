"""Handshakes that somebody answers who is no Callsheet server: a proxy, or its own error page."""

from __future__ import annotations

from typing import Final

from websockets.exceptions import InvalidStatus

from callsheet.core.errors import ConnectFailedError

__all__ = ["refused_handshake"]

MAY_PASS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses with which a proxy says that the server behind it is away for now."""
MAX_TOLD_CHARS: Final = 200


def refused_handshake(url: str, error: Exception) -> ConnectFailedError | None:
    """Judge why a handshake failed; None = it is worth another try."""
    if not isinstance(error, InvalidStatus) or error.response.status_code in MAY_PASS:
        return None
    body = (error.response.body or b"").decode("utf-8", "replace")
    said = "" if body.lstrip().startswith("<") else " ".join(body.split())[:MAX_TOLD_CHARS]
    return ConnectFailedError(
        f"{url} answers status {error.response.status_code} and opens no WebSocket"
        + (f": {said}" if said else "; is the path right, and does the proxy pass Upgrade on?")
    )
