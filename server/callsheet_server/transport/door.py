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

from callsheet_server.limits.token_bucket import TokenBucket, TokenBuckets

__all__ = ["Door", "DoorSocket"]

logger = logging.getLogger(__name__)

CONNECTIONS_PER_S: Final = 50.0
"""Connections that one address may open, on average: a handshake takes about a millisecond."""
CONNECTIONS_AT_ONCE: Final = 256
"""Connections that it may open after a quiet time, if that is more than the server's sessions."""
PAGES_PER_S: Final = 20.0
PAGES_AT_ONCE: Final = 200.0
"""Pages that one address may ask for; a live page is a dozen files, ``/metrics`` takes 2 ms."""
MAX_WAITING: Final = 256
"""Connections that have not said hello, of all addresses."""
MAX_WAITING_PER_ADDRESS: Final = 64
LOG_EVERY_S: Final = 10.0
FULL: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""Errors of a system that has no room for one more connection."""


class Door:
    """Counts connections by address. Where too many wait, the one that has waited longest goes."""

    def __init__(self, max_sessions: int) -> None:
        """``max_sessions``: of the server; one address may fill it at once."""
        at_once = float(max(max_sessions, CONNECTIONS_AT_ONCE))
        self._rate = TokenBuckets(CONNECTIONS_PER_S, at_once)
        self._pages = TokenBuckets(PAGES_PER_S, PAGES_AT_ONCE)
        self._waiting: dict[object, tuple[str, Callable[[], None]]] = {}
        self._of_address: Counter[str] = Counter()

    def may_come(self, address: str, now_s: float) -> bool:
        """Count one more connection of an address; False = it has opened too many of late."""
        return self._rate.take([address], now_s) == 0

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
        self._log_budget = TokenBucket(1 / LOG_EVERY_S, 1.0, time.monotonic())
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
            if self.door is None or self.door.may_come(str(address[0]), time.monotonic()):
                return connection, address
            connection.close()

    def close(self) -> None:
        """Stop listening. May be called twice."""
        super().close()
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None

    def _turn_away(self, error: OSError) -> None:
        assert self._reserve is not None
        os.close(self._reserve)
        try:
            super().accept()[0].close()
        finally:
            self._reserve = _reserve()
        if self._log_budget.take(time.monotonic()) == 0:
            logger.error("a client was turned away: %s; see ulimit -n", error.strerror)


def _reserve() -> int | None:
    try:
        return os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return None
