"""Loss of a server, noticed by its port: nobody listens there any more.

Its system takes connections for it, however busy it is. So one that is refused, or that nothing
answers, tells of a process or a machine that is gone long before a question to it would. A thread
knocks: to it an event loop that lags looks like no loss.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Final
from urllib.parse import urlsplit

__all__ = ["until_deaf"]

PERIOD_S: Final = 0.2
ANSWER_S: Final = 0.3
"""Longest time that a network takes to connect; packets that are lost cost a second."""
AGAIN_S: Final = 0.05
"""Wait after a failure; one alone may be a lost packet."""
FAILURES: Final = 2
PORTS: Final = {"http": 80, "https": 443}


async def until_deaf(url: str, period_s: float = PERIOD_S) -> str:
    """Knock at a server's port until nobody listens there; return what shows it."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 80)
    failures = 0
    while True:
        await asyncio.sleep(AGAIN_S if failures else period_s)
        try:
            await asyncio.to_thread(_knock, host, port)
            failures = 0
        except OSError as error:
            failures += 1
            if failures == FAILURES:
                return f"nobody listens at {host}:{port} any more: {error}"


def _knock(host: str, port: int) -> None:
    """Connect, no more. Raises ``OSError``."""
    socket.create_connection((host, port), ANSWER_S).close()
