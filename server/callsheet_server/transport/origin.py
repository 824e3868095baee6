"""Check of web pages that connect, by the headers a browser sends and no page can forge.

Two attacks stop here. A page of any site a user visits can open a WebSocket to 127.0.0.1: its
``Origin`` (RFC 6455, section 10.2) gives it away. And a site can let its own name resolve to
127.0.0.1 (DNS rebinding), so that its page and the server are one origin to the browser: its
``Host`` gives it away.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from websockets.datastructures import Headers

from callsheet_server.transport.settings import ServerSettings

__all__ = ["host_problem", "origin_problem"]


def host_problem(settings: ServerSettings, headers: Headers) -> str | None:
    """Say why a request that came by this name is refused; None = it is not.

    Only a server on the loopback interface asks: elsewhere every client needs a token.
    """
    host = _only(headers, "Host")
    if host is None or not settings.on_loopback:
        return None
    name = _hostname(host)
    local = name == "localhost" or name.endswith(".localhost") or _is_address(name)
    if local or name in settings.allowed_hosts or name == settings.host:
        return None
    return (
        f"this server listens on {settings.host} for this machine, and {name[:80]!r} is not one of "
        f'its names; behind a proxy of yours set server.allowed_hosts = ["{name[:80]}"]'
    )


def origin_problem(settings: ServerSettings, headers: Headers) -> str | None:
    """Say why a browser's page may not open a WebSocket; None = it may, or it is no browser."""
    origin = _only(headers, "Origin")
    if origin is None or origin in settings.allowed_origins or "*" in settings.allowed_origins:
        return None
    host = _only(headers, "Host")
    if host is not None and origin.partition("://")[2].lower() == host.lower():
        return None
    return (
        f"pages of {origin[:80]!r} may not connect to this server; "
        f'to let them, set server.allowed_origins = ["{origin[:80]}"]'
    )


def _only(headers: Headers, name: str) -> str | None:
    """The header's value; where there are several, one that nobody has."""
    values = headers.get_all(name)
    return f"{len(values)} of {name}" if len(values) > 1 else next(iter(values), None)


def _hostname(host: str) -> str:
    """The name in a Host header without its port; the whole header if it is none (RFC 9110)."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:@/]+))(?::\d*)?", host)
    return host if found is None else (found[1] or found[2]).lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
