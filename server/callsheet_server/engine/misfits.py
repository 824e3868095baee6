"""NPCs whose lore and persona leave no room to talk: told once each, and never warmed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from callsheet_server.world.key import NpcKey

__all__ = ["Misfits", "talk_tokens"]

LEAST_TALK_TOKENS: Final = 96
"""Of the context, for a line that is heard and a reply of the usual length."""


def talk_tokens(limit_tokens: int) -> int:
    """Tokens that a prefix has to leave for talk; less where the context is tiny."""
    return min(LEAST_TALK_TOKENS, limit_tokens // 4)


class Misfits:
    """NPCs that cannot speak, and why. Any thread may judge; one takes what is new."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._why: dict[NpcKey, str] = {}
        self._untold: dict[NpcKey, str] = {}

    def judge(self, key: NpcKey, prefix_tokens: int, limit_tokens: int) -> bool:
        """Note whether an NPC's prefix is too long; True = it is.

        Args:
            key: whose it is.
            prefix_tokens: of lore, persona and style.
            limit_tokens: of the engine's context.
        """
        kept = talk_tokens(limit_tokens)
        with self._lock:
            if prefix_tokens + kept <= limit_tokens:
                self._drop(key)
                return False
            why = (
                f"it cannot speak: lore and persona take {prefix_tokens} tokens, the engine's "
                f"context has {limit_tokens} and {kept} of it are for talk; shorten the persona"
            )
            if self._why.get(key) != why:
                self._why[key] = self._untold[key] = why
            return True

    def forget(self, key: NpcKey) -> None:
        """Forget an NPC that is gone."""
        with self._lock:
            self._drop(key)

    def why(self, key: NpcKey) -> str | None:
        """Say why an NPC cannot speak; None = it can, or is not judged yet."""
        return self._why.get(key)

    def take(self) -> Sequence[tuple[NpcKey, str]]:
        """Return those found since the last call."""
        with self._lock:
            untold, self._untold = self._untold, {}
            return list(untold.items())

    def _drop(self, key: NpcKey) -> None:
        self._why.pop(key, None)
        self._untold.pop(key, None)
