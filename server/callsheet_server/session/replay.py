"""The reliable half of a session: numbered messages, kept until they are acked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from callsheet.wire.base import Reliable
from callsheet.wire.codec import encode
from callsheet.wire.errors import ErrorCode, error_for

__all__ = ["ReplayBuffer"]


class ReplayBuffer:
    """Numbers messages from 1 and keeps them, bounded, until the client acks them."""

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._acked = 0

    @property
    def last_seq(self) -> int:
        return self._acked + len(self._frames)

    def add(self, message: Reliable) -> bytes:
        """Number a message, keep it, and return its frame.

        Raises:
            SessionError: ``slow_consumer``, if that would keep too much.
        """
        frame = encode(message.model_copy(update={"seq": self.last_seq + 1}))
        if len(self._frames) >= self._max_messages or self._bytes + len(frame) > self._max_bytes:
            raise error_for(
                ErrorCode.SLOW_CONSUMER,
                f"{len(self._frames)} messages ({self._bytes} bytes) wait for an ack; "
                f"the limits are {self._max_messages} and {self._max_bytes}",
                limit=self._max_messages,
            )
        # orjson's results keep a buffer of 4 KiB each; what is kept for long is copied to its size.
        frame = bytes(memoryview(frame))
        self._frames.append(frame)
        self._bytes += len(frame)
        return frame

    def ack(self, seq: int) -> None:
        """Forget everything up to ``seq``.

        Raises:
            ProtocolError: ``bad_message``, for a seq that was never sent.
        """
        if seq > self.last_seq:
            raise error_for(
                ErrorCode.BAD_MESSAGE,
                f"ack.seq: {seq} was never sent; the last was {self.last_seq}",
                field="seq",
                value=str(seq),
                limit=self.last_seq,
            )
        while self._acked < seq:
            self._bytes -= len(self._frames.popleft())
            self._acked += 1

    def after(self, seq: int) -> Iterator[bytes]:
        """The frames after ``seq``, oldest first."""
        skip = max(0, seq - self._acked)
        return (frame for index, frame in enumerate(self._frames) if index >= skip)

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        assert self._bytes == sum(map(len, self._frames)), "kept bytes are miscounted"
        assert len(self._frames) <= self._max_messages, "too many messages are kept"
