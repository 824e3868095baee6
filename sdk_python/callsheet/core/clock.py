"""The offset between the client's and the server's clock."""

from collections import deque

__all__ = ["ClockSync"]

SAMPLES = 8


class ClockSync:
    """Keeps the last eight samples and trusts the one with the smallest round trip."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)

    def add(self, sent_s: float, received_s: float, server_s: float) -> None:
        """Take a sample: when a ping left, when its pong came, what the server's clock said."""
        round_trip_s = received_s - sent_s
        if round_trip_s >= 0:
            self._samples.append((round_trip_s, server_s - (sent_s + received_s) / 2))

    @property
    def offset_s(self) -> float | None:
        """Server time minus client time; None before the first pong."""
        return min(self._samples)[1] if self._samples else None

    @property
    def round_trip_s(self) -> float | None:
        """The smallest round trip of the samples kept."""
        return min(self._samples)[0] if self._samples else None
