"""Ports for programs that must be told one before they start."""

from __future__ import annotations

import contextlib
import random
import socket

NOBODYS = range(20_000, 32_000)
"""Below the range from which a system serves those who ask for any port."""


def free_port() -> int:
    """Return a port that nobody listens on, and that no other program is given meanwhile."""
    draw = random.SystemRandom()
    while True:
        port = draw.choice(NOBODYS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
