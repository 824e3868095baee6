"""The engine ``sglang`` over several replicas: one cast, every NPC at home on one of them.

Tokens and control go straight to each replica over HTTP. A request that nobody has seen a word of
is tried again elsewhere when its replica fails.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.state import StateStore, StateView
from callsheet_server.engine.cluster.homes import Homes
from callsheet_server.engine.cluster.members import Family, members
from callsheet_server.engine.cluster.relocation import Relocator
from callsheet_server.engine.cluster.replica import Replica
from callsheet_server.engine.cluster.residency import ClusterPrefixes, sum_of_tiers
from callsheet_server.engine.engine import (
    AdapterUse,
    Delta,
    DoneMove,
    EngineInfo,
    GenerationEnd,
    GenerationRequest,
    NpcProfile,
    Occupancy,
    Progress,
)
from callsheet_server.engine.errors import (
    EngineError,
    EngineOverloadedError,
    EngineStartError,
    EngineUnavailableError,
    UnknownNpcError,
)
from callsheet_server.engine.misfits import Misfits
from callsheet_server.engine.sglang.adapters import Adapters
from callsheet_server.engine.sglang.engine import SglangEngine, is_sick
from callsheet_server.engine.sglang.peer import Peer
from callsheet_server.engine.sglang.prompts import Prompts
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.engine.sglang.timing import Timing
from callsheet_server.world.key import NpcKey

__all__ = ["ClusterEngine"]

logger = logging.getLogger(__name__)

TRIES: Final = 3
"""Replicas that a request is tried on: a request that kills them must not go through them all."""
NEAR_S: Final = 3.0
"""NPCs whose call is nearer are not moved to balance the load."""
RESTART_MAX_S: Final = 10.0
"""Longest pause before a lost replica is looked for again."""


class ClusterEngine:
    """Implements ``Engine``."""

    def __init__(self, settings: SglangSettings, timing: Timing | None = None) -> None:
        """``timing``: absent = the usual one."""
        timing = timing or Timing(restart_max_s=RESTART_MAX_S)
        self._settings = settings
        self._prompts = Prompts()
        self._adapters = Adapters(settings.adapters)
        self._family = Family()
        self._replicas = [
            Replica(
                name,
                SglangEngine(
                    own_settings,
                    timing,
                    name=name,
                    prompts=self._prompts,
                    adapters=self._adapters,
                    accept=functools.partial(self._family.accept, name),
                    changed=functools.partial(self._changed, number),
                ),
            )
            for number, (name, own_settings) in enumerate(members(settings).items())
        ]
        self._homes = Homes([replica.name for replica in self._replicas], settings.adapter_slots)
        self._relocator = Relocator(self._homes, self._replicas, NEAR_S, timing.warm_horizon_s)
        self._info: EngineInfo | None = None
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def info(self) -> EngineInfo:
        if self._info is None:
            raise EngineUnavailableError("the engine is not started")
        return self._info

    @property
    def stores(self) -> Sequence[StateStore]:
        return ()

    @property
    def prefixes(self) -> StateView | None:
        return ClusterPrefixes(self._homes, self._replicas)

    @property
    def adapters(self) -> frozenset[str]:
        return frozenset(self._adapters.folders)

    @property
    def misfits(self) -> Misfits:
        return self._prompts.misfits

    # --- life --------------------------------------------------------------------------------

    async def start(self, report: Callable[[Progress], None]) -> None:
        if self._closed:
            raise EngineUnavailableError("the engine was closed; make a new one")
        peers = await self._meet_all(report)
        first = next(peer for peer in peers if peer is not None)
        limit_tokens = min(peer.context_limit_tokens for peer in peers if peer is not None)
        await self._prompts.load(self._settings.tokenizer or first.tokenizer, limit_tokens)
        self._family.context_limit_tokens = limit_tokens
        for number, (replica, peer) in enumerate(zip(self._replicas, peers, strict=True)):
            replica.engine.begin(peer)
            self._homes.set_open(number, peer is not None)
        there = self._replicas[peers.index(first)].engine.info
        self._info = replace(there, context_limit_tokens=limit_tokens, replicas=len(self._replicas))
        self._run(self._relocator.run())

    async def _meet_all(self, report: Callable[[Progress], None]) -> list[Peer | None]:
        """Reach every replica; None = it does not answer.

        Raises:
            EngineStartError: none answers, or one cannot be used.
        """
        met = await asyncio.gather(
            *(self._meet(replica, report) for replica in self._replicas), return_exceptions=True
        )
        failures = [found for found in met if isinstance(found, BaseException)]
        for failure in failures:
            if not isinstance(failure, EngineUnavailableError):
                raise failure
        if len(failures) == len(met):
            raise EngineStartError("; ".join(map(str, failures)))
        for replica, found in zip(self._replicas, met, strict=True):
            if isinstance(found, BaseException):
                logger.warning(
                    "starting without %s, which is used as soon as it is there: %s",
                    replica.name,
                    found,
                )
        return [None if isinstance(found, BaseException) else found for found in met]

    async def _meet(self, replica: Replica, report: Callable[[Progress], None]) -> Peer:
        def of_replica(progress: Progress) -> None:
            report(replace(progress, label=f"{replica.name}: {progress.label}"))

        return await replica.engine.meet(of_replica)

    async def close(self) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(replica.engine.close() for replica in self._replicas))
        self._prompts.close()

    def _changed(self, number: int) -> None:
        """Take note that a replica is lost, or back."""
        replica = self._replicas[number]
        self._homes.set_open(number, replica.takes_npcs)
        if not replica.engine.serving and not self._closed:
            self._run(self._rehome(number))

    async def _rehome(self, number: int) -> None:
        moved = await self._relocator.move_away(number)
        logger.warning("%d NPCs of %s have a new home", moved, self._replicas[number].name)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def drain(self, name: str, *, undo: bool = False) -> None:
        """Move everybody away from a replica, as ``Drainable`` says."""
        names = [replica.name for replica in self._replicas]
        if name not in names:
            raise EngineError(f"no replica {name!r}; replicas: {', '.join(names)}")
        number = names.index(name)
        others = self._replicas[:number] + self._replicas[number + 1 :]
        if not undo and not any(replica.takes_npcs for replica in others):
            raise EngineError(f"{name} is the only replica in use: nobody could move elsewhere")
        self._replicas[number].draining = not undo
        self._homes.set_open(number, self._replicas[number].takes_npcs)

    # --- who there is ------------------------------------------------------------------------

    def set_world_prefix(self, world: str, text: str) -> Iterator[None]:
        works = [replica.engine.set_world_prefix(world, text) for replica in self._replicas]
        return itertools.chain.from_iterable(works)

    def put_npc(self, profile: NpcProfile) -> None:
        """Announce an NPC, as the protocol says.

        Raises:
            UnknownAdapterError: the profile names an adapter that is not there.
        """
        self._relocator.give_up(profile.key)
        before = self._homes.of(profile.key)
        home = self._homes.put(profile.key, profile.adapter)
        try:
            self._replicas[home].engine.put_npc(profile)
        except EngineError:
            self._homes.forget(profile.key)
            raise
        if before is not None and before != home:
            self._replicas[before].engine.forget_npc(profile.key)

    def forget_npc(self, key: NpcKey) -> None:
        self._relocator.give_up(key)
        home = self._homes.of(key)
        if home is not None:
            self._homes.forget(key)
            self._replicas[home].engine.forget_npc(key)

    def forget_world(self, world: str) -> None:
        for key in self._homes.keys(world):
            self.forget_npc(key)
        for replica in self._replicas:
            replica.engine.forget_world(world)
        self._homes.forget_world(world)

    def publish(self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]) -> None:
        for replica in self._replicas:
            replica.engine.publish(world, npcs, distance_s)

    # --- adapters ----------------------------------------------------------------------------

    def adapters_in_use(self) -> tuple[AdapterUse, ...]:
        return self._adapters.in_use(self._profiles())

    async def set_adapter(self, adapter: str, folder: str, *, update: bool) -> None:
        await self._adapters.set(self._serving, adapter, folder, update=update)

    async def remove_adapter(self, adapter: str) -> None:
        await self._adapters.remove(self._serving, self._profiles(), adapter)

    def _profiles(self) -> Iterator[NpcProfile]:
        """Everybody announced, once."""
        for number, replica in enumerate(self._replicas):
            for key, profile in replica.engine.profiles.items():
                if self._homes.of(key) == number:
                    yield profile

    def _serving(self) -> list[SglangEngine]:
        """Replicas that are there; the others are told of changes when they are back.

        Raises:
            EngineUnavailableError: there is none.
        """
        serving = [replica.engine for replica in self._replicas if replica.engine.serving]
        if not serving:
            raise EngineUnavailableError("no replica is there; they are looked for")
        return serving

    # --- requests ----------------------------------------------------------------------------

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        tried: list[int] = []
        while True:
            home = self._homes.of(request.npc)
            if home is None:
                raise UnknownNpcError(f"{request.npc} was not announced")
            tried.append(home)
            replica, is_seen = self._replicas[home], False
            try:
                async with aclosing(replica.engine.submit(request)) as items:
                    async for item in items:
                        is_seen = True
                        if isinstance(item, GenerationEnd):
                            replica.count(item)
                        yield item
                return
            except EngineError as error:
                unseen = not is_seen and (
                    is_sick(error) or isinstance(error, EngineOverloadedError)
                )
                if not unseen or not self._find_another(request.npc, tried):
                    raise
                logger.info("%s fails unseen on %s: %s", request.npc, replica.name, error)

    def _find_another(self, key: NpcKey, tried: Sequence[int]) -> bool:
        """Have an NPC at home on a replica that was not tried; False = there is none."""
        others = [n for n, r in enumerate(self._replicas) if r.takes_npcs and n not in tried]
        if key not in self._homes or not others or len(tried) >= TRIES:
            return False
        if self._homes.of(key) not in others:
            (target,) = self._homes.elsewhere([key], tried)
            self._relocator.move_now(key, target)
        return True

    def cancel(self, request_id: str) -> bool:
        return any(replica.engine.cancel(request_id) for replica in self._replicas)

    def take_moves(self) -> Sequence[DoneMove]:
        return [move for replica in self._replicas for move in replica.engine.take_moves()]

    def occupancy(self) -> Occupancy:
        npcs = self._homes.placement.load.tolist()
        loads = tuple(
            replica.load(npcs[number], self._relocator.arriving(number))
            for number, replica in enumerate(self._replicas)
        )
        return Occupancy(
            tiers=sum_of_tiers(use for load in loads for use in load.tiers),
            running=sum(load.running for load in loads),
            queued=sum(load.queued for load in loads),
            replicas=loads,
        )

    def check_integrity(self) -> None:
        self._homes.check_integrity()
        self._relocator.check_integrity()
        for replica in self._replicas:
            replica.engine.check_integrity()
