"""Copies in host memory that can be done without when it is full.

Each prefix on the device has one (write-through), so that parking it costs nothing. Who is about to
call will not be parked before, and SGLang copies the prefix again as the call is served: until then
the room is better given to somebody who is on no device.

Needs numpy only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from callsheet_sglang.kv.ownership import Node, Ownership
from callsheet_sglang.npc_table import NpcTable

__all__ = ["spare_copies"]


def spare_copies(table: NpcTable, ownership: Ownership, horizon_s: float) -> Iterator[Node]:
    """Nodes of NPCs within the horizon that are on the device whole, the nearest NPC's first.

    Only nodes of one NPC at the ends of branches: copies in host memory begin at the root.
    """
    distance_s = table.distance_s()
    whole = (table.kept_tokens > 0) & (table.device_tokens >= table.kept_tokens)
    rows = np.flatnonzero(whole & (distance_s < horizon_s))
    for handle in rows[np.argsort(distance_s[rows], kind="stable")].tolist():
        node = ownership.anchor.get(handle)
        if node is None or node.evicted or not node.backuped or node.children:
            continue
        if len(ownership.owners(node)) == 1:
            yield node
