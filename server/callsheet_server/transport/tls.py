"""TLS, where the settings ask for it."""

from __future__ import annotations

import ssl

from callsheet_server.transport.errors import SettingFileError
from callsheet_server.transport.settings import ServerSettings

__all__ = ["tls_context"]


def tls_context(settings: ServerSettings) -> ssl.SSLContext | None:
    """Read certificate and key; None = the settings name none. Blocking.

    Raises:
        SettingFileError: the files cannot be read, or do not belong together.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    for name in ("tls_certificate", "tls_key"):
        path = getattr(settings, name)
        try:
            path.open("rb").close()
        except OSError as error:
            raise SettingFileError(
                f"server.{name} = {path}: cannot be read: {error.strerror}"
            ) from None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2

    def no_password() -> str:
        raise ValueError("the key is encrypted; give one without a password")

    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, no_password)
    except (ssl.SSLError, ValueError) as error:
        raise SettingFileError(
            f"server.tls_certificate = {settings.tls_certificate} with server.tls_key = "
            f"{settings.tls_key}: {error}; both are PEM, the certificate first in its chain"
        ) from None
    return context
