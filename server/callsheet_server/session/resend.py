"""The reliable half of a session: numbered messages, kept until they are acked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from callsheet.wire.base import Reliable
from callsheet.wire.codec import encode
from callsheet.wire.errors import ErrorCode, error_for

__all__ = ["Kept", "ResendBuffer"]


@dataclass(slots=True, eq=False)
class Kept:
    """A message that was not acked yet."""

    seq: int
    frame: bytes
    held: bool
    """True if it must not be sent yet, nor what comes after it."""


class ResendBuffer:
    """Numbers messages from 1 and keeps them, bounded, until the client acks them.

    What may be sent is taken with ``take_ready``: in order, up to the first message that is held.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._kept: deque[Kept] = deque()
        self._bytes = 0
        self._acked = 0
        """The last seq that was acked, or dropped."""
        self.dropped = 0
        """The last seq dropped without an ack: what came up to it cannot be sent again."""
        self._taken = 0
        """The last seq taken for the present connection."""
        self._ever_taken = 0
        self.restored = False
        """True until ``number_from``: these are messages of before a restart."""

    @property
    def last_seq(self) -> int:
        return self._acked + len(self._kept)

    @property
    def acked(self) -> int:
        return self._acked

    def add(self, message: Reliable, *, held: bool = False, request: int | None = None) -> Kept:
        """Number a message and keep it; drop the oldest that were sent, if that is too much.

        ``request``: its id, if the message has none.

        Raises:
            SessionError: ``slow_consumer``, if what is kept has yet to be sent.
        """
        kept = Kept(0 if self.restored else self.last_seq + 1, b"", held)
        kept.frame = _frame(message, kept.seq, request)
        size = len(kept.frame)
        while self._is_full(size) and self._acked < self._taken:
            self._forget_oldest()
            self.dropped = self._acked
        if self._is_full(size):
            raise error_for(
                ErrorCode.SLOW_CONSUMER,
                f"{len(self._kept)} messages ({self._bytes} bytes) wait to be sent; "
                f"the limits are {self._max_messages} and {self._max_bytes}",
                limit=self._max_messages,
            )
        self._kept.append(kept)
        self._bytes += size
        return kept

    def _is_full(self, size_bytes: int) -> bool:
        too_large = bool(self._kept) and self._bytes + size_bytes > self._max_bytes
        return too_large or len(self._kept) >= self._max_messages

    def release(self, kept: Kept, instead: Reliable | None = None) -> None:
        """Let a held message be sent, or another one in its place and under its number."""
        if instead is not None:
            self._bytes -= len(kept.frame)
            kept.frame = _frame(instead, kept.seq)
            self._bytes += len(kept.frame)
        kept.held = False

    def take_ready(self) -> Iterator[bytes]:
        """The frames that may be sent on this connection and were not taken yet."""
        while self._taken < self.last_seq:
            kept = self._kept[self._taken - self._acked]
            if kept.held:
                return
            self._taken += 1
            self._ever_taken = max(self._taken, self._ever_taken)
            yield kept.frame

    def rewind(self, seq: int) -> None:
        """Start over for a new connection, whose client has everything up to ``seq``."""
        self._taken = min(max(seq, self._acked), self._ever_taken)

    def can_go_on_from(self, seq: int) -> bool:
        """True if all that came after ``seq`` is still kept, and ``seq`` was ever sent."""
        return self.restored or self.dropped <= seq <= self._ever_taken

    def ack(self, seq: int, field: str = "seq") -> None:
        """Forget everything up to ``seq``, which the message's ``field`` names.

        Raises:
            ProtocolError: ``bad_message``, for a seq that was never sent.
        """
        if seq > self._ever_taken:
            raise error_for(
                ErrorCode.BAD_MESSAGE,
                f"{field}: {seq} was never sent; the last was {self._ever_taken}",
                field=field,
                value=str(seq),
                limit=self._ever_taken,
            )
        while self._acked < seq:
            self._forget_oldest()
        self._taken = max(self._taken, self._acked)

    def _forget_oldest(self) -> None:
        self._bytes -= len(self._kept.popleft().frame)
        self._acked += 1

    # --- after a restart ---------------------------------------------------------------------

    def restore(self, frames: Iterable[tuple[int, bytes]]) -> None:
        """Begin with the answers of before a restart; ``seq`` below 1 = they had no number."""
        self.restored = True
        for seq, frame in frames:
            self._kept.append(Kept(seq, frame, held=False))
            self._bytes += len(frame)

    def numbered_from(self, last_seq: int) -> list[tuple[int, bytes]]:
        """Number anew the messages that a client with everything up to ``last_seq`` still lacks.

        Other messages had numbers of their own before the restart and are lost, so that the
        numbers of the answers change.
        """
        unseen = [kept for kept in self._kept if kept.seq < 1 or kept.seq > last_seq]
        return [
            (seq, orjson.dumps(orjson.loads(kept.frame) | {"seq": seq}))
            for seq, kept in enumerate(unseen, last_seq + 1)
        ]

    def number_from(self, last_seq: int) -> None:
        """Number what was restored, or came since; the client has everything up to ``last_seq``."""
        numbered = self.numbered_from(last_seq)
        self._kept = deque(Kept(seq, frame, held=False) for seq, frame in numbered)
        self._bytes = sum(len(kept.frame) for kept in self._kept)
        self._acked = self._taken = self._ever_taken = last_seq
        self.restored = False

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        assert self._bytes == sum(len(kept.frame) for kept in self._kept), "bytes are miscounted"
        assert len(self._kept) <= self._max_messages, "too many messages are kept"
        assert self._taken <= self.last_seq, "more was taken than there is"


def _frame(message: Reliable, seq: int, request: int | None = None) -> bytes:
    """The frame of a numbered message, in its own size: orjson's results keep a 4 KiB buffer."""
    numbers = {"seq": seq} if request is None else {"seq": seq, "id": request}
    return bytes(memoryview(encode(message, **numbers)))
