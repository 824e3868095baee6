"""Rates of those who come: hellos, and worlds that begin with one. Sans-I/O."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.fields import Role
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.limits.token_bucket import TokenBuckets
from callsheet_server.transport.access_tokens import AccessToken

__all__ = ["Arrivals"]

HELLOS_PER_S: Final = 50.0
"""Sessions that one token, or one role at one address, may open or resume, on average."""
NEW_WORLDS_PER_S: Final = 4.0
"""Worlds that it may begin: a game's is a new file on disk."""
ERRORS_PER_S: Final = 40.0
"""Errors of all its sessions past which it opens no new one: those of four sessions."""
ERRORS_AT_ONCE: Final = 400.0
MAX_ERRORS_OWED_S: Final = 10.0
HELLOS_AT_ONCE: Final = 256
NEW_WORLDS_AT_ONCE: Final = 64
"""The same after a quiet time, if that is more than the server holds."""


class Arrivals:
    """Counts hellos by token and by address. One address alone may fill the server once."""

    def __init__(self, limits: LimitSettings) -> None:
        hellos_at_once = max(HELLOS_AT_ONCE, limits.max_sessions)
        worlds_at_once = max(NEW_WORLDS_AT_ONCE, limits.max_worlds)
        self._hellos = TokenBuckets(HELLOS_PER_S, float(hellos_at_once))
        self._worlds = TokenBuckets(NEW_WORLDS_PER_S, float(worlds_at_once))
        self._errors = TokenBuckets(ERRORS_PER_S, ERRORS_AT_ONCE)

    def take_hello(self, role: Role, token: AccessToken | None, address: str, now_s: float) -> None:
        """Count a hello that is let in.

        Raises:
            WorldError: ``limit_exceeded``.
        """
        wait_s = self._hellos.take(_keys(role, token, address), now_s)
        if wait_s:
            raise _too_many("sessions opened", HELLOS_PER_S, wait_s)

    def note_errors(
        self, role: Role, token: AccessToken | None, address: str, amount: float, now_s: float
    ) -> None:
        """Count errors of a session, unless so many are owed that its next one waits long."""
        keys = _keys(role, token, address)
        if self._errors.wait_s(keys, now_s, 0.0) < MAX_ERRORS_OWED_S:
            self._errors.spend(keys, now_s, amount)

    def check_errors(
        self, role: Role, token: AccessToken | None, address: str, now_s: float
    ) -> None:
        """Refuse a new session where sessions make too many errors. Raises as ``take_hello``."""
        wait_s = self._errors.wait_s(_keys(role, token, address), now_s)
        if wait_s:
            raise _too_many("errors", ERRORS_PER_S, wait_s)

    def take_world(self, role: Role, token: AccessToken | None, address: str, now_s: float) -> None:
        """Count a world that begins. Raises as ``take_hello`` does."""
        wait_s = self._worlds.take(_keys(role, token, address), now_s)
        if wait_s:
            raise _too_many("worlds begun", NEW_WORLDS_PER_S, wait_s)


def _keys(role: Role, token: AccessToken | None, address: str) -> list[Hashable]:
    at_address: list[Hashable] = [(role, address)]
    return at_address if token is None else [*at_address, token.name]


def _too_many(what: str, per_s: float, wait_s: float) -> CallsheetError:
    return error_for(
        ErrorCode.LIMIT_EXCEEDED,
        f"more than {per_s:g} {what} in a second, from one address or with one token",
        limit=per_s,
        retry_after_s=wait_s,
    )
