"""Prefetch of prefixes from disk (HiCache's storage backend) to host memory, nearest NPC first.

SGLang reads from its storage for a request that has come, and the read may take longer than
computing what it brings. Here an NPC whose prefix has left host memory is read for before it calls,
if those who are nearer leave room for it. In host memory it is a prefix like any other.

Decided by messages, requests and reads that all tensor-parallel ranks know to have ended. SGLang's
objects are used through their attributes; neither sglang nor torch is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from callsheet_sglang.kv.deciding import reach_s
from callsheet_sglang.kv.scheduler_state import SchedulerState

__all__ = ["DiskReader", "Prefix"]

READS_AT_A_TIME = 2
"""One being read and the next: SGLang reads in the order of asking, for requests too."""
HOST_SHARE = 0.9
"""Share of host memory that who is nearer may fill; the rest is for who was not expected."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The tokens that an NPC's next call is expected to begin with, and the rest of their key."""

    tokens: Sequence[int]
    extra_key: str | None
    cache_salt: str | None


class DiskReader:
    """Remembers what prefixes consist of, and reads those that host memory has lost."""

    def __init__(self, state: SchedulerState) -> None:
        self._state = state
        self._prefixes: dict[int, Prefix] = {}
        self._reading: dict[int, Any] = {}
        """SGLang's handles of the reads under way, by NPC."""
        self._read_at: dict[int, int] = {}
        """NPCs that were read for, and which call of theirs was the last then: once per call."""

    def remember(self, handle: int, req: Any) -> None:
        """A call of an NPC has ended, and what its next is expected to begin with is known."""
        if self._state.cache.enable_storage:
            tokens = req.origin_input_ids[: int(self._state.table.kept_tokens[handle])]
            self._prefixes[handle] = Prefix(tokens, req.extra_key, req.cache_salt)

    def read(self, state: SchedulerState) -> None:
        """Do one scheduler iteration's share."""
        cache = state.cache
        if cache is None or not cache.enable_storage or not state.settings.prefetch:
            return
        for handle, request in list(self._reading.items()):
            if request not in cache.ongoing_prefetch:
                del self._reading[handle]
                self._end(handle, request)
        free = READS_AT_A_TIME - len(self._reading)
        for handle in islice(self._wanted(), free) if free else ():
            if not self._begin(handle):
                return

    def _wanted(self) -> Iterator[int]:
        """NPCs that host memory has lost and has room for, nearest first."""
        table = self._state.table
        there = table.device_tokens + table.missing_tokens
        distance_s = table.distance_s()
        room_tokens = HOST_SHARE * self._state.cache.cache_controller.mem_pool_host.size
        near = distance_s < reach_s(table, room_tokens)
        rows = np.flatnonzero((there < table.kept_tokens) & near)
        for handle in rows[np.argsort(distance_s[rows], kind="stable")].tolist():
            if handle in self._prefixes and self._read_at.get(handle) != table.last_use[handle]:
                yield handle

    def _begin(self, handle: int) -> bool:
        """Have it read; False if SGLang does not take it."""
        state = self._state
        self._read_at[handle] = int(state.table.last_use[handle])
        anchor = state.ownership.anchor.get(handle)
        request = state.cache.begin_read(handle, self._prefixes[handle], anchor)
        if request is not None:
            self._reading[handle] = request
        return request is not None

    def _end(self, handle: int, request: Any) -> None:
        """A read has ended: what it brought is its NPC's."""
        state = self._state
        end = state.cache.end_read(request, self._prefixes[handle])
        if not state.table.kept_tokens[handle]:
            del self._prefixes[handle]  # It was forgotten meanwhile.
        elif end is not None and state.ownership.restore(handle, end):
            state.counters.disk_reads += 1
