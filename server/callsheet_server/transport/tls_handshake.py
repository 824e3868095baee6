"""The TLS handshake of a connection that was accepted without it."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

__all__ = ["HANDSHAKE_TIMEOUT_S", "shake_hands"]

HANDSHAKE_TIMEOUT_S: Final = 5.0


class _Early(asyncio.Protocol):
    """Keeps what comes before its receiver knows that the handshake is over."""

    def __init__(self) -> None:
        self.data = b""

    def data_received(self, data: bytes) -> None:
        self.data += data


async def shake_hands(
    transport: asyncio.Transport, context: ssl.SSLContext
) -> tuple[asyncio.Transport, bytes] | None:
    """Return the encrypted transport, and what has come already; None = there is none.

    The caller sets the transport's protocol. Must not be awaited for longer in between: a
    connection that is lost by then is not told of.
    """
    early = _Early()
    try:
        encrypted = await asyncio.get_running_loop().start_tls(
            transport,
            early,
            context,
            server_side=True,
            ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S,
        )
    except OSError:  # ssl.SSLError and TimeoutError are its children.
        transport.abort()
        return None
    if encrypted is None or encrypted.is_closing():
        transport.abort()
        return None
    return encrypted, early.data
