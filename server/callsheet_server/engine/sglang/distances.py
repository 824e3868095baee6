"""Distances that SGLang has been told, and those it must be told next.

SGLang counts a distance down by itself: it keeps the moment an NPC is due. So an NPC that comes
nearer as fast as time passes costs nothing, and only those are sent whose distance there has come
to differ from the true one by more than a tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_sglang.wire import Distances

__all__ = ["DistanceTable", "Tolerance"]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Largest error of SGLang's idea of a distance: the larger of the two, never more."""

    seconds: float
    ratio: float
    """Of the smaller of the two distances."""


class DistanceTable:
    """The true distance of every handle beside the one SGLang has. One message is open at a time.

    Arrays are (capacity,), indexed by handle. NaN = there is no such NPC (or no longer).
    """

    def __init__(self, tolerance: Tolerance, first_seq: int) -> None:
        """``first_seq``: above that of any message an SGLang still running may have had."""
        self._tolerance = tolerance
        self._seq = first_seq
        self._true_s = np.full(0, np.nan, np.float32)
        self._told_due_s = np.full(0, np.nan, np.float64)
        """By the sender's clock: when SGLang believes the NPC to be due."""
        self._leaving: set[int] = set()
        """Forgotten here, and perhaps not there."""
        self._full = True
        self._open: Distances | None = None

    @property
    def true_s(self) -> NDArray[np.float32]:
        """(capacity,) float32, by handle: seconds to the next call; NaN = no NPC. A view."""
        return self._true_s

    def add(self, handle: int) -> None:
        """Add an NPC; no call of it is expected until ``note`` says so."""
        self._reserve(handle + 1)
        if np.isnan(self._true_s[handle]):
            self._true_s[handle] = np.inf

    def note(self, handles: NDArray[np.intp], distance_s: NDArray[np.float32]) -> None:
        """Take in distances; latest wins.

        Args:
            handles: (N,) intp, all added.
            distance_s: (N,) float32, >= 0; +inf = no expectation.
        """
        self._true_s[handles] = distance_s

    def forget(self, handle: int) -> bool:
        """Forget an NPC.

        Returns:
            True: SGLang has never heard of it. False: ``confirm`` will tell when it knows; until
            then the handle must not stand for another NPC.
        """
        self._true_s[handle] = np.nan
        in_open = self._open is not None and bool((self._open.handles == handle).any())
        if self._full or in_open or not np.isnan(self._told_due_s[handle]):
            self._leaving.add(handle)
            return False
        return True

    def restart(self) -> None:
        """Begin with a full message: SGLang knows nothing, or nobody knows what it knows."""
        self._told_due_s[:] = np.nan
        self._full = True
        self._open = None

    def take(self, now_s: float, max_npcs: int) -> Distances:
        """The next message: what has changed enough to matter, at most ``max_npcs`` NPCs.

        If there are more, those who have gone come first, then those nearest in either view.
        A message without NPCs still tells SGLang what time it is. ``confirm`` or ``restart`` must
        follow before the next call.
        """
        assert self._open is None, "a message is open: confirm it first"
        believed_s = np.maximum(self._told_due_s - now_s, 0.0)
        changed = np.flatnonzero(self._differs(believed_s))
        if len(changed) > max_npcs:
            near_s = np.fmin(self._true_s[changed], believed_s[changed])
            near_s[np.isnan(self._true_s[changed])] = -1.0
            changed = changed[np.argpartition(near_s, max_npcs)[:max_npcs]]
        self._seq += 1
        self._open = Distances(
            seq=self._seq,
            now_s=now_s,
            handles=changed.astype(np.uint32),
            distance_s=self._true_s[changed],
            full=self._full,
        )
        return self._open

    def confirm(self) -> set[int]:
        """Note that SGLang has the last message; return the handles that stand for nobody since."""
        message, self._open = self._open, None
        assert message is not None, "no message is open"
        self._told_due_s[message.handles] = message.now_s + message.distance_s.astype(np.float64)
        if message.full:
            named = set(message.handles.tolist())
            gone = self._leaving - named
        else:
            gone = set(message.handles[np.isnan(message.distance_s)].tolist())
        self._full = False
        self._leaving -= gone
        return gone

    def off_s(self, now_s: float) -> NDArray[np.float64]:
        """(capacity,) float64: by how much SGLang is wrong beyond the tolerance; 0 = it is not."""
        believed_s = np.maximum(self._told_due_s - now_s, 0.0)
        return np.where(self._differs(believed_s), np.abs(self._true_s - believed_s), 0.0)

    def _differs(self, believed_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        true_s = self._true_s
        allowed_s = np.maximum(
            self._tolerance.seconds, self._tolerance.ratio * np.minimum(true_s, believed_s)
        )
        with np.errstate(invalid="ignore"):  # Both +inf: they do not differ.
            differs = np.abs(true_s - believed_s) > allowed_s
        known: NDArray[np.bool_] = np.isnan(true_s) != np.isnan(believed_s)
        return differs | known

    def _reserve(self, capacity: int) -> None:
        if capacity > (had := len(self._true_s)):
            grown = max(capacity, 2 * had, 64)
            self._true_s = np.pad(self._true_s, (0, grown - had), constant_values=np.nan)
            self._told_due_s = np.pad(self._told_due_s, (0, grown - had), constant_values=np.nan)
