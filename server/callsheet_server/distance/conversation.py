"""Conversation: an NPC whose turn is open or queued is needed now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_server.world.snapshot import Snapshot

__all__ = ["conversation"]


def conversation(snapshot: Snapshot) -> NDArray[np.float32]:
    """(N,) float32: 0 while a turn is open or queued, else +inf."""
    return np.where(snapshot.in_conversation, np.float32(0.0), np.float32(np.inf))
