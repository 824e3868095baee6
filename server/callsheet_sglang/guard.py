"""Crash containment: what goes wrong in the plugin's own code must not harm SGLang."""

from __future__ import annotations

import logging
from collections import Counter

__all__ = ["Guard"]

logger = logging.getLogger(__name__)


class Guard:
    """Counts the exceptions of our own code by the piece that raised; logs the first of each.

    Who catches one does as stock SGLang would: that is the fallback.
    """

    def __init__(self) -> None:
        self.caught: Counter[str] = Counter()
        """Exceptions by piece."""

    def catch(self, piece: str) -> None:
        """Note the exception being handled. Call it in an ``except`` block."""
        self.caught[piece] += 1
        if self.caught[piece] == 1:
            logger.exception(
                "callsheet: %s failed; SGLang goes on as without the plugin. "
                "Further failures of it are counted, not logged.",
                piece,
            )
