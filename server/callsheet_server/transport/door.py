"""The server's door: how many may come in at a time, and stand there without a word.

Nobody has said who they are yet: all that is known is a network address. What one address may do
is bounded first, so that the others still get in.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from callsheet_server.limits.token_bucket import TokenBuckets
from callsheet_server.transport.client_address import client_address, is_loopback

__all__ = ["Door", "DoorSocket"]

logger = logging.getLogger(__name__)

CONNECTIONS_PER_S: Final = 100.0
"""Connections of one address that are served, on average: with its hello each takes 1 ms."""
SHORT_VISIT_S: Final = 1.0
"""A connection that ends sooner counts as two: who comes to stay pays once."""
CONNECTIONS_AT_ONCE: Final = 64.0
LONGEST_PAUSE_S: Final = 10.0
"""Time that a connection beyond the rate stands unread; those that had to stand longer are cut."""
PAGES_PER_S: Final = 10.0
PAGES_AT_ONCE: Final = 100.0
"""Pages that one address may ask for; a live page is a dozen files, ``/metrics`` takes 2 ms."""
MAX_WAITING: Final = 256
"""Connections that have not said hello, of all addresses."""
MAX_WAITING_PER_ADDRESS: Final = 64
FULL: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""Errors of a system that has no room for one more connection."""


class Door:
    """Counts connections by address. Where too many wait, the one that has waited longest goes.

    A proxy's are not counted before it is known whom they are of.
    """

    def __init__(self, *, behind_proxy: bool = False) -> None:
        """``behind_proxy``: connections from this machine may be a proxy's."""
        self._behind_proxy = behind_proxy
        self._rate = TokenBuckets(CONNECTIONS_PER_S, CONNECTIONS_AT_ONCE)
        self._pages = TokenBuckets(PAGES_PER_S, PAGES_AT_ONCE)
        self._strangers: dict[object, Callable[[], None]] = {}
        self._waiting: dict[object, tuple[str, Callable[[], None]]] = {}
        self._of_address: Counter[str] = Counter()

    def is_proxy(self, address: str) -> bool:
        """True if connections from an address may be of others."""
        return self._behind_proxy and is_loopback(address)

    def has_room(self, address: str, now_s: float) -> bool:
        """True if one more connection of an address may stand here until it is served."""
        return self._rate.owed_s(address, now_s) < LONGEST_PAUSE_S

    def let_in(self, who: object, address: str, now_s: float, drop: Callable[[], None]) -> float:
        """Count a connection of an address; return the seconds until it may be read.

        ``drop`` is called if the door closes before ``shook_hands``.
        """
        self._strangers[who] = drop
        return self._rate.spend([address], now_s, 1.0)

    def stayed(self, address: str, stay_s: float, now_s: float) -> None:
        """Note that a connection of an address has ended, and its stay."""
        if stay_s < SHORT_VISIT_S:
            self._rate.spend([address], now_s, 1.0)

    def shook_hands(self, who: object) -> None:
        """Note that a connection's handshake is over."""
        self._strangers.pop(who, None)

    def close(self) -> None:
        """Drop those who stand unread or in the middle of their handshake."""
        for drop in list(self._strangers.values()):
            drop()

    def may_ask(self, address: str, now_s: float) -> bool:
        """Count a page that an address asks for; False = it has asked for too many of late."""
        return self._pages.take([address], now_s) == 0

    def wait(self, who: object, address: str, drop: Callable[[], None]) -> None:
        """Note a connection that has not said hello; ``drop`` is called if it must make room."""
        self._waiting[who] = address, drop
        self._of_address[address] += 1
        if self._of_address[address] > MAX_WAITING_PER_ADDRESS:
            self._drop_oldest(address)
        elif len(self._waiting) > MAX_WAITING:
            self._drop_oldest(None)

    def pass_by(self, who: object) -> None:
        """Note that a connection waits no more: it was let in, or is gone. May be called twice."""
        self._strangers.pop(who, None)
        address, _ = self._waiting.pop(who, (None, None))
        if address is not None:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def _drop_oldest(self, address: str | None) -> None:
        """Drop the one that has waited longest, of an address or of all."""
        oldest = next(who for who, (of, _) in self._waiting.items() if address in (None, of))
        _, drop = self._waiting[oldest]
        self.pass_by(oldest)
        drop()


class DoorSocket(socket.socket):
    """A listening socket that turns away who opens too many connections, and never runs full.

    It holds one file open in reserve. When the process may open no more, that one is given up for
    as long as it takes to turn a client away; else the client would wait, and the loop would be
    told of it over and over.
    """

    def __init__(self, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self._reserve = _reserve()
        self.door: Door | None = None
        """Judge of those who come; None = all may."""

    def accept(self) -> tuple[socket.socket, Any]:
        """Take the next connection that may come.

        Raises:
            BlockingIOError: there is none now.
        """
        while True:
            try:
                connection, address = super().accept()
            except OSError as error:
                if error.errno not in FULL or self._reserve is None:
                    raise
                self._turn_away(error)
                continue
            if self.door is None or self._may_stand(client_address(address[0])):
                return connection, address
            connection.close()

    def close(self) -> None:
        """Stop listening. May be called twice."""
        super().close()
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None

    def _may_stand(self, address: str) -> bool:
        assert self.door is not None
        return self.door.is_proxy(address) or self.door.has_room(address, time.monotonic())

    def _turn_away(self, error: OSError) -> None:
        assert self._reserve is not None
        os.close(self._reserve)
        try:
            super().accept()[0].close()
        finally:
            self._reserve = _reserve()
        logger.error("a client was turned away: %s; see ulimit -n", error.strerror)


def _reserve() -> int | None:
    try:
        return os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return None
