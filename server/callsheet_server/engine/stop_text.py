"""Stop strings, found in text that arrives in pieces."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["StopText"]


class StopText:
    """Pieces of a reply in, what is certain of them out: no stop string gets through, not in part.

    The text ends before the stop string that begins first.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(text for text in stop if text)
        self._first = {text[0] for text in self._stop}
        self._held = ""
        self.stopped = False
        """A stop string was met; the text ended before it."""

    def push(self, piece: str) -> str:
        """The text that is certain now; "" while a stop string may be growing."""
        self._held += piece
        if self._first.isdisjoint(self._held):
            return self._take(len(self._held))
        found = [at for stop in self._stop if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            return self._take(min(found))
        longest = max(
            (
                size
                for stop in self._stop
                for size in range(1, min(len(stop), len(self._held) + 1))
                if self._held.endswith(stop[:size])
            ),
            default=0,
        )
        return self._take(len(self._held) - longest)

    def flush(self) -> str:
        """The rest, at the end of a reply that met no stop string."""
        return "" if self.stopped else self._take(len(self._held))

    def _take(self, size: int) -> str:
        text, self._held = self._held[:size], self._held[size:]
        return text
