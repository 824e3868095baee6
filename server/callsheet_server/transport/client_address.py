"""Addresses by which the limits of clients are counted."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from websockets.datastructures import Headers

__all__ = ["client_address", "forwarded_address", "is_loopback"]

IPV6_CLIENT_BITS: Final = 64
"""Bits of an IPv6 address that a client cannot choose: it is given all the others (RFC 6177)."""


def client_address(text: str) -> str:
    """Return the part of a network address that is the client's: of IPv6 the network it is in."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(ip_network((address, IPV6_CLIENT_BITS), strict=False))
    return str(address)


def forwarded_address(headers: Headers) -> str | None:
    """Return the client that a proxy names, as ``client_address`` does; None = it names none.

    Only the last element is the proxy's word. Those before it are what the client sent.
    """
    last = ",".join(headers.get_all("X-Forwarded-For")).rpartition(",")[2].strip()
    try:
        return client_address(last)
    except ValueError:
        return None


def is_loopback(text: str) -> bool:
    """True if an address, as ``client_address`` returns it, is of this machine."""
    return "/" not in text and ip_address(text).is_loopback
