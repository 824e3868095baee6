"""Plain HTTP on the WebSocket's port: a page, metrics, health."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from callsheet_server.transport.origin import host_problem
from callsheet_server.transport.settings import ServerSettings

__all__ = ["Page", "Pages", "is_handshake", "respond", "too_many_requests"]

FOR_OBSERVERS: Final = frozenset({"/metrics"})
"""Pages that tell what goes on here: for those who may be observers of every world."""


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to a GET."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


Pages = Mapping[str, Callable[[], Page]]
"""Path -> what makes its page. Called in the event loop: must not block."""


NO_UPGRADE: Final = (
    b"this is a WebSocket's handshake without its Upgrade header: a proxy in between does not pass "
    b"it on; docs/deploy.md has configurations that do\n"
)


def is_handshake(request: Request) -> bool:
    """True if a request opens a WebSocket.

    Some proxies put ``Connection: upgrade`` into every request: only ``Upgrade`` tells.
    """
    return "websocket" in ", ".join(request.headers.get_all("Upgrade")).lower()


def too_many_requests() -> Response:
    """Answer one who asks for pages all the time."""
    return _response(Page(b"too many requests\n", status=HTTPStatus.TOO_MANY_REQUESTS))


def respond(
    request: Request,
    settings: ServerSettings,
    pages: Pages,
    may_observe: Callable[[str | None], bool],
) -> Response:
    """Answer a plain GET.

    ``may_observe`` judges the bearer token of a request, or that there is none.
    """
    path = request.path.partition("?")[0]
    make = pages.get(path)
    if "Sec-WebSocket-Key" in request.headers:
        page = Page(NO_UPGRADE, status=HTTPStatus.UPGRADE_REQUIRED)
    elif (problem := host_problem(settings, request.headers)) is not None:
        page = Page(f"{problem}\n".encode(), status=HTTPStatus.MISDIRECTED_REQUEST)
    elif make is None:
        known = ", ".join(sorted(pages)) or "none"
        page = Page(f"no page {path}; pages: {known}\n".encode(), status=HTTPStatus.NOT_FOUND)
    elif path in FOR_OBSERVERS and not may_observe(_bearer_token(request.headers)):
        advice = (
            b"send an observer's token that is good for all worlds: Authorization: Bearer ...\n"
        )
        page = Page(advice, status=HTTPStatus.UNAUTHORIZED)
    else:
        page = make()
    return _response(page)


def _response(page: Page) -> Response:
    headers = Headers(
        {
            "Content-Type": page.content_type,
            "Content-Length": str(len(page.body)),
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "Connection": "close",
        }
    )
    if page.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(page.status.value, page.status.phrase, headers, page.body)


def _bearer_token(headers: Headers) -> str | None:
    """The token of an Authorization header (RFC 6750, section 2.1)."""
    scheme, _, token = "".join(headers.get_all("Authorization")).partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
