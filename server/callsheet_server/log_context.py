"""Ids that belong to a log line: session, world, NPC, request.

``bind`` sets them for what runs inside it, tasks started there included, so that code far below
need not know them to have them logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["bind", "bound_fields"]

_bound: ContextVar[dict[str, str | int]] = ContextVar("callsheet_log_fields")


@contextmanager
def bind(**fields: str | int) -> Iterator[None]:
    """Add fields to every record that is logged inside the block."""
    outer = _bound.set({**_bound.get({}), **fields})
    try:
        yield
    finally:
        _bound.reset(outer)


def bound_fields() -> Mapping[str, str | int]:
    """Return the fields bound in the running task or thread."""
    return _bound.get({})
