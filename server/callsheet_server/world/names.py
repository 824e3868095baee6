"""Names that NPCs are called by, looked up whatever their number."""

from __future__ import annotations

from collections import Counter

__all__ = ["Names"]


class Names:
    """Names in use, without regard to case; several may share one."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """Count one more who is called so."""
        self._counts[name.casefold()] += 1

    def drop(self, name: str) -> None:
        """Count one less."""
        self._counts[name.casefold()] -= 1

    def __contains__(self, name: str) -> bool:
        return self._counts[name.casefold()] > 0
