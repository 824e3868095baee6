"""TLS: the certificates a client trusts."""

from __future__ import annotations

import ssl

from callsheet.core.settings import ClientSettings

__all__ = ["tls_context"]


def tls_context(url: str, settings: ClientSettings) -> ssl.SSLContext | None:
    """Return the context that verifies the server's certificate; None = ``url`` is not wss.

    Blocking: reads ``ca_file``, or what the system trusts.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """
    if not url.lower().startswith("wss:"):
        return None
    return ssl.create_default_context(cafile=settings.ca_file)
