"""Exchange with the plugin inside SGLang, beside requests: distances there, residency back."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.engine import DoneMove, TierUse
from callsheet_server.engine.errors import EngineError
from callsheet_server.engine.sglang.cast import Cast
from callsheet_server.engine.sglang.distances import DistanceTable, Tolerance
from callsheet_server.engine.sglang.peer import Peer
from callsheet_server.engine.sglang.residency import ResidencyMirror
from callsheet_server.engine.sglang.timing import Timing
from callsheet_sglang.wire import (
    DISTANCES_PATH,
    NPCS_PATH,
    RESIDENCY_PATH,
    STATUS_PATH,
    WireError,
    decode_residency,
    encode_adapters,
    encode_distances,
)

__all__ = ["PluginSync"]

logger = logging.getLogger(__name__)

NPC_BYTES = 8
"""Size of one NPC in a distance update."""
MAX_MOVES = 10_000
"""Most moves that are kept until somebody takes them."""
RETRY_S = 1.0
"""Wait after a failure."""


class PluginSync:
    """Distances and adapters to the plugin, residency from it. All on the event loop."""

    def __init__(self, timing: Timing, cast: Cast) -> None:
        self._timing = timing
        self._cast = cast
        self.distances = DistanceTable(
            Tolerance(timing.distance_tolerance_s, timing.distance_tolerance_ratio),
            first_seq=time.time_ns(),
        )
        self._number = secrets.randbits(62) + 1
        """Number that tells this server apart from others that share a SGLang."""
        self.residency = ResidencyMirror(cast)
        self.moves: deque[DoneMove] = deque(maxlen=MAX_MOVES)
        self.status: dict[str, Any] = {}
        """The plugin's last one."""
        self._adapters: dict[int, str | None] = {}
        """Adapters that are to be told, by handle."""

    def sender(self, peer: Peer) -> int:
        """The number that this server's NPCs go by at ``peer``; 0 = it knows one server only."""
        return self._number if peer.takes_senders else 0

    def put(self, handle: int, adapter: str | None) -> None:
        """Note an NPC that is new, or has a new profile."""
        self._adapters[handle] = adapter
        self.distances.add(handle)

    def forget(self, handle: int) -> None:
        """Forget an NPC. Its handle is given back once SGLang knows."""
        self._adapters.pop(handle, None)
        self.residency.forget(handle)
        if self.distances.forget(handle):
            self._cast.handles.give_back(handle)

    def tier_use(self) -> tuple[TierUse, ...]:
        """Fill of SGLang's KV pools, as the plugin said last; a shared part counts once."""
        return tuple(
            TierUse(
                kind=StateKind.PREFIX,
                tier=tier,
                used_bytes=int(pool["used_bytes"]),
                budget_bytes=int(pool["capacity_bytes"]),
                items=self.residency.items(tier),
            )
            for name, tier in (("device", Tier.DEVICE), ("host", Tier.HOST))
            if (pool := self.status.get("pools", {}).get(name))
        )

    async def run(self, peer: Peer, lost: Callable[[], None]) -> None:
        """Exchange both until cancelled; ``lost`` is told when SGLang does not answer."""
        self._begin_anew()
        if peer.plugin is None:
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send(peer, lost))
                tasks.create_task(self._receive(peer, lost))
        finally:
            self.residency.clear()
            self.status = {}

    def _begin_anew(self) -> None:
        """Tell SGLang everything again: it may have lost it."""
        self.distances.restart()
        for key, handle in self._cast.handles:
            self._adapters[handle] = self._cast.profiles[key].adapter

    async def _send(self, peer: Peer, lost: Callable[[], None]) -> None:
        interval_s = self._timing.distance_interval_s
        max_npcs = max(1, int(self._timing.distance_bytes_per_s * interval_s) // NPC_BYTES)
        while True:
            started_s = time.monotonic()
            try:
                if self._adapters:
                    told, self._adapters = self._adapters, {}
                    await peer.server.post(NPCS_PATH, body=encode_adapters(told, self.sender(peer)))
                update = self.distances.take(started_s, max_npcs)
                update = replace(update, sender=self.sender(peer))
                await peer.server.post(DISTANCES_PATH, body=encode_distances(update))
                for handle in self.distances.confirm():
                    self._cast.handles.give_back(handle)
            except EngineError as error:
                logger.warning("distances did not reach SGLang: %s", error)
                self._begin_anew()
                lost()
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(max(0.0, started_s + interval_s - time.monotonic()))

    async def _receive(self, peer: Peer, lost: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(self._timing.residency_interval_s)
            try:
                about = {"since": self.residency.version, "sender": self.sender(peer)}
                body = await peer.server.get(RESIDENCY_PATH, **about)
                self.moves.extend(self.residency.apply(decode_residency(body)))
                self.status = await peer.server.get_json(STATUS_PATH)
            except (EngineError, WireError) as error:
                logger.warning("where prefixes lie is not known: %s", error)
                lost()
                await asyncio.sleep(RETRY_S)
