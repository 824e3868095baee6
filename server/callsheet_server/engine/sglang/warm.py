"""Computes prefixes ahead, in order of distance, while SGLang has nothing better to do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.state import Tier
from callsheet_server.engine.calls import Calls
from callsheet_server.engine.errors import EngineError
from callsheet_server.engine.sglang.cast import Cast
from callsheet_server.engine.sglang.peer import Peer
from callsheet_server.engine.sglang.plugin_sync import PluginSync
from callsheet_server.engine.sglang.timing import Timing
from callsheet_server.world.key import NpcKey

__all__ = ["Warmer", "to_warm"]

logger = logging.getLogger(__name__)

INTERVAL_S: Final = 0.1
FILL: Final = 0.8
"""Part of the pools that may be filled ahead; the rest is for what is said."""

SendWarm = Callable[[Peer, NpcKey, Sequence[int]], Awaitable[None]]


def to_warm(
    distance_s: NDArray[np.float32],
    prefix_tokens: NDArray[np.int64],
    absent: NDArray[np.bool_],
    *,
    horizon_s: float,
    room_tokens: int,
) -> NDArray[np.intp]:
    """Return the handles to warm, in order of distance.

    Only those count who would still be there when everyone nearer has been warmed: so nobody is
    computed only to be evicted for another.

    Args:
        distance_s: (N,) float32, by handle; NaN = nobody.
        prefix_tokens: (N,) int64; 0 = not known.
        absent: (N,) bool, whose prefix is in no tier.
        horizon_s: those due later are left alone.
        room_tokens: what fits in all tiers together.

    Returns:
        (K,) intp handles, nearest first.
    """
    near = np.flatnonzero((distance_s <= horizon_s) & (prefix_tokens > 0))
    near = near[np.argsort(distance_s[near], kind="stable")]
    fits = np.cumsum(prefix_tokens[near]) <= room_tokens
    return near[fits & absent[near]]


class Warmer:
    """Sends prefixes without a question, a few at a time, behind every request."""

    def __init__(
        self,
        timing: Timing,
        cast: Cast,
        plugin_sync: PluginSync,
        calls: Calls,
        send: SendWarm,
    ) -> None:
        self._timing = timing
        self._cast = cast
        self._plugin_sync = plugin_sync
        self._calls = calls
        self._send = send
        self._sent: set[int] = set()
        """Handles whose prefix this SGLang was sent and that were not seen in it since."""

    def built(self, handle: int) -> None:
        """Note that a request has had this one's prefix computed."""
        self._sent.add(handle)

    def void(self, handles: Iterable[int]) -> None:
        """Note that these have a new prefix."""
        self._sent.difference_update(handles)

    async def run(self, peer: Peer) -> None:
        """Warm until cancelled, beginning with a SGLang that has nothing."""
        self._sent.clear()
        under_way: set[asyncio.Task[None]] = set()
        try:
            while True:
                await asyncio.sleep(INTERVAL_S)
                under_way = {task for task in under_way if not task.done()}
                free = self._timing.warm_at_once - len(under_way)
                if free > 0 and not self._calls.waiting:
                    under_way |= {
                        asyncio.create_task(self._warm(peer, handle))
                        for handle in self._next(peer)[:free]
                    }
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    def _next(self, peer: Peer) -> list[int]:
        distance_s, tokens = self._plugin_sync.distances.true_s, self._cast.prefix_tokens
        known = min(len(distance_s), len(tokens))  # Both hold every handle there is.
        absent = np.ones(known, np.bool_)
        tiers = self._plugin_sync.residency.tiers[:known]
        absent[: len(tiers)] = tiers == Tier.ABSENT
        if peer.plugin is not None:  # Those seen somewhere may be lost again, and seen to be.
            sent = np.fromiter(self._sent, np.intp, len(self._sent))
            self._sent.difference_update(sent[~absent[sent]].tolist())
        absent[np.fromiter(self._sent, np.intp, len(self._sent))] = False
        found = to_warm(
            distance_s[:known],
            tokens[:known],
            absent,
            horizon_s=self._timing.warm_horizon_s,
            room_tokens=int(FILL * peer.pool_tokens),
        )
        handles: list[int] = found.tolist()
        return handles

    async def _warm(self, peer: Peer, handle: int) -> None:
        key = self._cast.handles.key(handle)
        tokens = None if key is None else self._cast.prefix(key)
        if key is None or tokens is None:
            return
        self._sent.add(handle)
        try:
            await self._send(peer, key, tokens)
        except EngineError as error:
            logger.debug("the prefix of %s was not warmed: %s", key, error)
