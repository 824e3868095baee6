"""Bound on what is logged: nobody fills a disk by making the server log the same line again."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

from callsheet_server.limits.token_bucket import TokenBuckets

__all__ = ["BYTES_AT_ONCE", "BYTES_PER_S", "LimitedHandler"]

BYTES_PER_S: Final = 1_000.0
BYTES_AT_ONCE: Final = 16_000.0
"""Text that one place in the code may log: a hundred lines, or a few tracebacks."""

Place = tuple[str, int]
"""File and line of a log call."""


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Writes to stderr, of each place in the code so much; counts what it leaves out.

    The count stands in the next record of the same place, as ``left_out``, or in a record of its
    own at the end. Records at DEBUG are asked for by hand, and are all written.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._budgets = TokenBuckets(BYTES_PER_S, BYTES_AT_ONCE)
        self._left_out: Counter[Place] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record if there is room for it. Called with the handler's lock held."""
        if record.levelno <= logging.DEBUG or self._take(record):
            super().emit(record)

    def close(self) -> None:
        """Tell what was left out and not told yet."""
        for (path, line), count in self._left_out.items():
            text = f"{count} records of {Path(path).name}:{line} were left out"
            level = {"levelno": logging.WARNING, "levelname": "WARNING"}
            super().emit(logging.makeLogRecord({"name": __name__, "msg": text, **level}))
        self._left_out.clear()
        super().close()

    def _take(self, record: logging.LogRecord) -> bool:
        place = record.pathname, record.lineno
        size_bytes = float(len(self.format(record)))
        if self._budgets.take([place], self._clock(), size_bytes):
            self._left_out[place] += 1
            return False
        if count := self._left_out.pop(place, 0):
            record.left_out = count
        return True
