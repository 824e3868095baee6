"""Count of a session's reliable messages, and the acks owed to the server for them."""

from __future__ import annotations

__all__ = ["Incoming"]

ACK_EVERY_MESSAGES = 32
ACK_EVERY_S = 1.0


class Incoming:
    """The greatest ``seq`` so far, and when it has to be acked."""

    def __init__(self) -> None:
        self.last_seq: int = 0
        self.ack_at_s: float | None = None
        """Time at which an ack is due; None = none is owed."""
        self._acked_seq = 0

    def is_next(self, seq: int) -> bool:
        """Whether nothing is missing before this message. It may have come before."""
        return seq <= self.last_seq + 1

    def count(self, seq: int, now_s: float) -> bool:
        """Count a message; True if it is new."""
        new = seq > self.last_seq
        self.last_seq = max(seq, self.last_seq)
        if self.last_seq - self._acked_seq >= ACK_EVERY_MESSAGES or not new:
            self.ack_at_s = now_s
        elif self.ack_at_s is None:
            self.ack_at_s = now_s + ACK_EVERY_S
        return new

    def acked(self) -> None:
        """An ack up to ``last_seq`` is on its way."""
        self._acked_seq, self.ack_at_s = self.last_seq, None

    def begin(self, *, resumed: bool) -> None:
        """A connection is open: of the same session, or of a new one that counts from 1."""
        self.last_seq = self.last_seq if resumed else 0
        self.acked()
