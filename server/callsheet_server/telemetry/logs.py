"""Structured logs: every record names the session, world and request it belongs to.

``log_context.bind`` binds these ids; log calls add fields of their own with ``extra``.
"""

from __future__ import annotations

import logging
import time
import traceback
from typing import Any, Final, Literal

import orjson

from callsheet_server.log_context import bound_fields
from callsheet_server.telemetry.log_limit import LimitedHandler

__all__ = ["LogFormat", "configure_logging"]

LogFormat = Literal["text", "json"]

OURS: Final = "callsheet_server"
STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""Attributes that every log record has; any other was given as ``extra``."""

MAX_FRAMES: Final = 30
"""Frames told of a traceback: a recursion without end has a thousand."""
VISIBLE: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
"""A client's name with a line break in it must not look like another record."""


def configure_logging(log_format: LogFormat, level: str) -> None:
    """Log to stderr: our own records from ``level`` on, those of libraries from WARNING on.

    The latter keeps frames, and so tokens and what players say, out of any log: ``websockets``
    logs them at DEBUG. Our own code never logs either.
    """
    handler = LimitedHandler()
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    # Filters of handlers run in the thread and context of the log call.
    handler.addFilter(_add_bound_fields)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())


def _add_bound_fields(record: logging.LogRecord) -> bool:
    for name, value in bound_fields().items():
        record.__dict__.setdefault(name, value)
    return True


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Fields given to a record; a name that begins with "_" is some library's own."""
    given = vars(record).items()
    return {name: value for name, value in given if name not in STANDARD and name[0] != "_"}


class _Formatter(logging.Formatter):
    """Leaves out all but the innermost frames of a traceback."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging's name)
        return "".join(traceback.format_exception(*ei, limit=-MAX_FRAMES)).rstrip("\n")


class _TextFormatter(_Formatter):
    """One line for people, the fields at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        fields = " ".join(f"{name}={value}" for name, value in sorted(_fields(record).items()))
        line = super().formatMessage(record)
        return (f"{line} [{fields}]" if fields else line).translate(VISIBLE)


class _JsonFormatter(_Formatter):
    """One JSON object a line; ``time`` is RFC 3339 in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()
