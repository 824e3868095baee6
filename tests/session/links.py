"""The client's end of a session, without a socket."""

from __future__ import annotations

from callsheet.wire import AnyServerMessage, Reliable, parse_server_message
from callsheet.wire.session import EngineSummary

SUMMARY = EngineSummary(
    name="none",
    version="1",
    model="none",
    device="none",
    context_limit_tokens=1,
    keeps_residency=False,
)


class RecordedLink:
    """Keeps what a session sends; it is written the moment it is queued unless ``stuck``."""

    def __init__(self, address: str = "192.0.2.1") -> None:
        self.address = address
        self.frames: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.stuck = False
        self.max_frame_bytes = 0
        """What it takes since it was welcomed."""

    @property
    def waiting(self) -> int:
        return len(self.frames) if self.stuck else 0

    @property
    def reliable_bytes(self) -> int:
        return sum(map(len, self.frames)) if self.stuck else 0

    @property
    def messages(self) -> list[AnyServerMessage]:
        return [parse_server_message(frame) for frame in self.frames]

    @property
    def seqs(self) -> list[int]:
        """The numbers of the reliable messages, in the order sent."""
        return [m.seq for m in self.messages if isinstance(m, Reliable) and m.seq is not None]

    def welcome(self, max_frame_bytes: int) -> None:
        self.max_frame_bytes = max_frame_bytes

    def send(self, frame: bytes, key: str | None = None) -> None:
        assert self.closed is None, "sent after close"
        self.frames.append(frame)

    def close(self, code: int, reason: str) -> None:
        assert self.closed is None, "closed twice"
        assert len(reason.encode()) <= 123, "a close reason has at most 123 bytes (RFC 6455, 5.5)"
        self.closed = code, reason
