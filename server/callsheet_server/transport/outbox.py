"""Queue of frames that wait to be written to one client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Outbox"]

MAX_UNRELIABLE_FRAMES = 256
"""Frames that may be lost are dropped, oldest first, past this many."""

WRITE_BYTES = 16_384
"""Frames are written together until they pass this: one call of the system for many small ones."""


class Outbox:
    """A queue in which a frame with a key replaces the queued one with the same key.

    Reliable frames are bounded by the session, which keeps them until they are acked; they have no
    key. Of the frames with a key at most ``MAX_UNRELIABLE_FRAMES`` wait here.
    """

    def __init__(self, address: str = "", welcomed: Callable[[int], None] = lambda _: None) -> None:
        """``address``: of the client; empty = not known. ``welcomed``: see ``welcome``."""
        self.address = address
        self.welcome = welcomed
        """Takes messages of up to so many bytes from now on: the client was let in."""
        self._frames: dict[object, bytes] = {}
        self._keyed = 0
        self.reliable_bytes = 0
        """Bytes of the frames without a key that wait."""
        self._wakeup = asyncio.Event()
        self.closing: tuple[int, str] | None = None
        self.closed = asyncio.Event()
        """Set by ``close``."""
        self.dropped = 0
        """Frames with a key that were dropped because others pushed them out."""

    @property
    def waiting(self) -> int:
        """Frames not yet written."""
        return len(self._frames)

    def send(self, frame: bytes, key: str | None = None) -> None:
        """Queue a frame. Does nothing once ``close`` was called."""
        if self.closing is not None:
            return
        if key is None:
            self._frames[object()] = frame
            self.reliable_bytes += len(frame)
        else:
            self._keyed += key not in self._frames
            self._frames[key] = frame
            if self._keyed > MAX_UNRELIABLE_FRAMES:
                oldest = next(k for k in self._frames if isinstance(k, str))
                del self._frames[oldest]
                self._keyed -= 1
                self.dropped += 1
        self._wakeup.set()

    def close(self, code: int, reason: str) -> None:
        """Close the connection once everything queued has been written. The first call counts."""
        if self.closing is None:
            self.closing = (code, reason)
            self.closed.set()
            self._wakeup.set()

    async def next(self) -> list[bytes]:
        """The next frames to write; none when all is written and the connection is to close.

        Safe to cancel: no frame is lost.
        """
        while not self._frames:
            if self.closing is not None:
                return []
            self._wakeup.clear()
            await self._wakeup.wait()
        frames = [self._take()]
        size_bytes = len(frames[0])
        while self._frames and size_bytes < WRITE_BYTES:
            frames.append(self._take())
            size_bytes += len(frames[-1])
        return frames

    def _take(self) -> bytes:
        key = next(iter(self._frames))
        frame = self._frames.pop(key)
        if isinstance(key, str):
            self._keyed -= 1
        else:
            self.reliable_bytes -= len(frame)
        return frame
