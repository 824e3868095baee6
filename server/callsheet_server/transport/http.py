"""Plain HTTP on the WebSocket's port: a page, metrics, health."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

__all__ = ["Page", "Pages", "respond"]


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to a GET."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


Pages = Mapping[str, Callable[[], Page]]
"""Path -> what makes its page. Called in the event loop: must not block."""


def respond(request: Request, pages: Pages) -> Response | None:
    """Answer a plain GET; None = it is a WebSocket handshake, which goes on."""
    if "upgrade" in request.headers.get("Connection", "").lower():
        return None
    path = request.path.partition("?")[0]
    make = pages.get(path)
    if make is None:
        known = ", ".join(sorted(pages)) or "none"
        page = Page(f"no page {path}; pages: {known}\n".encode(), status=HTTPStatus.NOT_FOUND)
    else:
        page = make()
    headers = Headers(
        {
            "Content-Type": page.content_type,
            "Content-Length": str(len(page.body)),
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
            "Connection": "close",
        }
    )
    return Response(page.status.value, page.status.phrase, headers, page.body)
