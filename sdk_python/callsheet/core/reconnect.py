"""Reconnecting: whether to try again after a connection has ended, and when."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from callsheet.core.errors import ConnectFailedError
from callsheet.core.settings import ClientSettings
from callsheet.wire.errors import RULES, CallsheetError, CloseCode, ErrorCode, error_for
from callsheet.wire.fields import PROTOCOL

__all__ = [
    "AfterClose",
    "Attempts",
    "after_close",
    "refusal_of",
    "unreachable",
    "version_mismatch",
]

_CODE_OF = {rule.closes: code for code, rule in RULES.items() if rule.closes}
_FRESH: Final = frozenset(rule.closes for rule in RULES.values() if rule.returns)
_STANDARD_END: Final = frozenset({1000, 1002, 1003, 1007, 1008, 1009, 1010})
_RESUMABLE: Final = {rule.closes for rule in RULES.values() if rule.resumable}


class AfterClose(Enum):
    """Next step after the end of a connection."""

    RESUME = "resume"
    FRESH = "fresh"
    """Connect again, for a new session."""
    END = "end"


def after_close(close_code: int | None, refusal: CallsheetError | None) -> AfterClose:
    """Decide by close code (docs/wire-protocol.md, "Close codes").

    A refusal that says when to try again (a world that is taken for the moment) is not the end.
    """
    if close_code in _FRESH:
        return AfterClose.FRESH
    if close_code in _STANDARD_END or (
        close_code is not None and close_code >= 4000 and close_code not in _RESUMABLE
    ):
        again = refusal is not None and refusal.retry_after_s is not None
        return AfterClose.FRESH if again else AfterClose.END
    return AfterClose.RESUME


def refusal_of(close_code: int | None, reason: str) -> CallsheetError | None:
    """The error a close code stands for, for when its message did not arrive."""
    code: ErrorCode | None = None
    if close_code in _CODE_OF:
        code = _CODE_OF[CloseCode(close_code)]
    return error_for(code, reason or f"closed with {close_code}") if code else None


def version_mismatch(theirs: str) -> CallsheetError:
    """Return the error for a server of another major version."""
    newer_server = int(theirs.split(".")[0]) > int(PROTOCOL.split(".")[0])
    fix = "upgrade this client" if newer_server else "upgrade the server"
    return error_for(
        ErrorCode.VERSION_MISMATCH,
        f"the server speaks callsheet {theirs}, this client {PROTOCOL}: {fix} "
        "(pip install --upgrade callsheet)",
    )


def unreachable(url: str, allowed_s: float, trouble: str) -> ConnectFailedError:
    """Return the error for a server that was not found within ``allowed_s``."""
    return ConnectFailedError(
        f"no Callsheet server at {url} within {allowed_s:g} s (last: {trouble}). "
        "Start one with: callsheet serve"
    )


class Attempts:
    """Attempts to connect: how long to wait before each, and when to give up.

    Exponential backoff with full jitter: each wait is uniform in [0, bound], bounds double.
    """

    def __init__(self, settings: ClientSettings, random: Callable[[], float]) -> None:
        self._settings, self._random = settings, random
        self._attempt = 0
        self._offline_since_s: float | None = None
        self._not_before_s = 0.0
        self.begun: bool = False
        """Whether there was a first attempt."""

    def begin(self, now_s: float) -> None:
        """Count the time without a connection from now on, unless it is counted already."""
        self.begun = True
        if self._offline_since_s is None:
            self._offline_since_s = now_s

    def hold(self, until_s: float) -> None:
        """Make no attempt before then: the server has said so."""
        self._not_before_s = until_s

    def wait_s(self, now_s: float, retry_after_s: float, allowed_s: float) -> float | None:
        """Return the time to wait before the next attempt, and count it.

        Args:
            now_s: a connection has ended, or could not be made.
            retry_after_s: the least to wait, as the server told.
            allowed_s: the longest to be without a connection.

        Returns:
            None: not within what is allowed.
        """
        self.begin(now_s)
        assert self._offline_since_s is not None
        bound_s = self._settings.backoff_min_s * 2.0 ** min(self._attempt, 30)
        self._attempt += 1
        wait_s = self._random() * min(bound_s, self._settings.backoff_max_s)
        wait_s += max(self._not_before_s - now_s, retry_after_s)
        return wait_s if now_s + wait_s - self._offline_since_s <= allowed_s else None

    def connected(self) -> None:
        """Note that the session is open."""
        self._offline_since_s = None

    def reset(self) -> None:
        """Begin with short waits again: the connection has proven itself."""
        self._attempt = 0
