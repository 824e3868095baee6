"""A warning where this machine is too slow for the GPU that it emulates."""

from __future__ import annotations

import logging

__all__ = ["MOST_HOST_GAP", "GapWatch"]

logger = logging.getLogger(__name__)

MOST_HOST_GAP = 0.05
"""Share of its time that the GPU may idle for its host: above, figures are the host's."""
WINDOW_S = 10.0
"""Busy time that a share is taken over."""


class GapWatch:
    """Looks at the idle time of one GPU, window by window."""

    def __init__(self) -> None:
        self._busy_s = self._gap_s = 0.0

    def look(self, busy_s: float, host_gap_s: float) -> None:
        """Take in totals; log it if the last window was host-bound."""
        busy, gap = busy_s - self._busy_s, host_gap_s - self._gap_s
        if busy < WINDOW_S:
            return
        self._busy_s, self._gap_s = busy_s, host_gap_s
        if gap > MOST_HOST_GAP * (busy + gap):
            logger.warning(
                "callsheet: the emulated GPU idled %.0f %% of its time because this machine is "
                "slower than a GPU server's: figures measured now mean nothing",
                100 * gap / (busy + gap),
            )
