"""Whom a client trusts."""

from __future__ import annotations

import ssl

from callsheet.core.settings import ClientSettings

__all__ = ["tls_context"]


def tls_context(url: str, settings: ClientSettings) -> ssl.SSLContext | None:
    """What to verify the server's certificate with; None = ``url`` is not a wss one.

    Blocking: reads ``ca_file``, or what the system trusts.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """
    if not url.lower().startswith("wss:"):
        return None
    return ssl.create_default_context(cafile=settings.ca_file)
