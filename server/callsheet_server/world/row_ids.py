"""NPC ids by row, handed out as snapshots."""

from __future__ import annotations

__all__ = ["RowIds"]


class RowIds:
    """The NPC id on each row; "" = nobody lives there."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._snapshot: tuple[str, ...] | None = ()
        """Made last; None = a row has changed since."""

    def __getitem__(self, row: int) -> str:
        return self._ids[row]

    def __setitem__(self, row: int, npc: str) -> None:
        self._reserve(row + 1)
        self._ids[row] = npc
        self._snapshot = None

    def snapshot(self, rows: int) -> tuple[str, ...]:
        """The ids of all ``rows`` rows as of now; the same object for as long as none changes."""
        if self._snapshot is None or len(self._snapshot) != rows:
            self._reserve(rows)
            self._snapshot = tuple(self._ids)
        return self._snapshot

    def _reserve(self, rows: int) -> None:
        self._ids += [""] * (rows - len(self._ids))
