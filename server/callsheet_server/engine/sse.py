"""Server-sent events whose data is JSON, read from bytes as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

__all__ = ["DONE", "EventReader", "EventStreamError"]

DONE: Final = "[DONE]"
"""The event that closes a stream in the OpenAI protocol."""
MAX_EVENT_BYTES: Final = 4 << 20


class EventStreamError(Exception):
    """The bytes are no such stream."""


class EventReader:
    """Bytes in, JSON objects out, and ``DONE``.

    An event is complete as soon as its data is JSON: servers differ in how many lines they spread
    it over, and some forget the empty line behind it. What is JSON and no object, such as a
    heartbeat's ``null``, is left out.
    """

    def __init__(self, *, latest_only: bool = False) -> None:
        """``latest_only``: of events that come in one piece only the last one matters."""
        self._latest_only = latest_only
        self._line = b""
        """The beginning of a line."""
        self._data = b""
        """The lines of data of an event that is not complete."""

    def feed(self, piece: bytes) -> Iterator[Any]:
        """The events that ``piece`` completes.

        Raises:
            EventStreamError: data that is no JSON, or without an end.
        """
        text = self._line + piece
        if self._latest_only and not self._data:
            text = text[_outdated_bytes(text) :]
        *lines, self._line = text.split(b"\n")
        for line in lines:
            yield from self._take(line.strip())
        if len(self._line) + len(self._data) > MAX_EVENT_BYTES:
            raise EventStreamError(f"an event of more than {MAX_EVENT_BYTES >> 20} MiB")

    def end(self) -> Iterator[Any]:
        """The event that the stream ends with, if it lacks its last line end. Raises as above."""
        yield from self.feed(b"\n\n")

    def _take(self, line: bytes) -> Iterator[Any]:
        if line.startswith(b"data:"):
            self._data = (self._data + b"\n" + line.removeprefix(b"data:")).strip()
            event: Any = DONE
            if self._data != DONE.encode():
                try:
                    event = orjson.loads(self._data)
                except orjson.JSONDecodeError:
                    return  # More may follow.
            self._data = b""
            if event is DONE or isinstance(event, dict):
                yield event
        elif not line and self._data:
            raise EventStreamError("data that is no JSON")


def _outdated_bytes(text: bytes) -> int:
    """Length of the events before the last one that is whole on a line of its own."""
    end = text.rfind(b"}\n\n")
    last = text.rfind(b"\n\ndata: {", 0, end + 1)
    return last + 2 if last >= 0 else 0
