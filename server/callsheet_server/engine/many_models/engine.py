"""An engine of engines: one for each model, as many loaded at a time as the budget holds."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import StateKind, StateStore, StateView, Tier
from callsheet_server.engine.calls import Call, Calls
from callsheet_server.engine.embedded.settings import EmbeddedSettings
from callsheet_server.engine.engine import (
    Delta,
    DoneMove,
    Engine,
    EngineInfo,
    GenerationEnd,
    GenerationRequest,
    NpcProfile,
    Occupancy,
    Progress,
    TierUse,
)
from callsheet_server.engine.errors import (
    EngineError,
    EngineStartError,
    EngineUnavailableError,
    UnknownAdapterError,
    UnknownNpcError,
)
from callsheet_server.engine.hardware import total_memory_bytes
from callsheet_server.engine.many_models.joined_store import JoinedStore
from callsheet_server.engine.many_models.weights_store import WeightsStore
from callsheet_server.engine.misfits import Misfits
from callsheet_server.engine.prefix_budgets import PrefixBudgets, nothing_else
from callsheet_server.world.key import NpcKey

__all__ = ["ManyModelsEngine", "ModelKind"]

logger = logging.getLogger(__name__)

MAX_OPEN: Final = 256
"""Requests at a time, running and waiting; each model's engine has its own, smaller limit."""
MEMORY_SHARE: Final = 0.5
"""Of this machine's memory for models, unless the settings say otherwise: the game needs some."""
TIERS: Final = (Tier.DEVICE, Tier.HOST, Tier.DISK)


class ModelKind(Protocol):
    """A way of running one model; the settings name it."""

    def engine(
        self, settings: EmbeddedSettings, others: Callable[[Tier], int], misfits: Misfits
    ) -> Engine:
        """An engine, not started; ``others`` as for ``PrefixBudgets``."""

    def weigh(self, settings: EmbeddedSettings, report: Callable[[Progress], None]) -> int:
        """Bytes of the model and its KV cache once loaded; blocks, and fetches what is missing.

        Raises:
            EngineStartError: it cannot be run here.
        """


class ManyModelsEngine:
    """An ``Engine`` whose NPCs speak with different models, by their archetypes.

    Adapters belong to the model of those whose archetype names none.
    """

    def __init__(self, settings: EmbeddedSettings, kind: ModelKind) -> None:
        """``settings.models`` names at least one."""
        self._settings = settings
        self._kind = kind
        self._models = tuple(dict.fromkeys((settings.model, *settings.models.values())))
        self._calls = Calls(MAX_OPEN)
        self._profiles: dict[NpcKey, NpcProfile] = {}
        self._world_texts: dict[str, str] = {}
        self._published: dict[str, tuple[tuple[str, ...], NDArray[np.float32]]] = {}
        self._weights: WeightsStore | None = None
        self._joined: tuple[JoinedStore, ...] = ()
        self._info: EngineInfo | None = None
        self._closed = False
        self.misfits = Misfits()

    def model_of(self, archetype: str | None) -> str:
        return self._settings.models.get(archetype or "", self._settings.model)

    @property
    def info(self) -> EngineInfo:
        self._need_weights()
        assert self._info is not None
        return self._info

    @property
    def stores(self) -> Sequence[StateStore]:
        return (self._need_weights(), *self._joined)

    @property
    def prefixes(self) -> StateView:
        self._need_weights()
        return self._joined[0]

    @property
    def adapters(self) -> frozenset[str]:
        return frozenset(self._settings.adapters)

    async def start(self, report: Callable[[Progress], None]) -> None:
        """Look at every model, and load that of those whose archetype names none.

        Raises:
            EngineStartError: one of the models cannot be run here.
        """
        if self._closed:
            raise EngineUnavailableError("the engine was closed; make a new one")
        budget = self._settings.weights_budget_bytes or int(MEMORY_SHARE * total_memory_bytes())
        sizes = await asyncio.to_thread(self._weigh, budget, report)
        self._weights = weights = WeightsStore(
            sizes, budget, open_engine=self._open, shut_engine=self._shut, distances=self._distances
        )
        totals = dict(PrefixBudgets(self._settings, nothing_else))
        self._joined = (JoinedStore(StateKind.PREFIX, totals, weights.engines, self._owner),)
        async with weights.using(self._settings.model) as engine:
            self._info = replace(engine.info, begins_in_thought=None, max_requests=MAX_OPEN)
            kinds = {store.kind: store for store in engine.stores}
        if (adapters := kinds.get(StateKind.ADAPTER)) is not None:
            budgets = {tier: adapters.capacity_bytes(tier) for tier in TIERS}
            joined = JoinedStore(StateKind.ADAPTER, budgets, weights.engines, self._owner)
            self._joined += (joined,)

    async def close(self) -> None:
        self._closed = True
        self._calls.cancel_all()
        weights, self._weights = self._weights, None
        if weights is not None:
            await weights.close()

    def set_world_prefix(self, world: str, text: str) -> Iterator[None]:
        self._world_texts[world] = text
        works = [engine.set_world_prefix(world, text) for engine in self._engines()]
        return itertools.chain.from_iterable(works)

    def put_npc(self, profile: NpcProfile) -> None:
        """Announce an NPC, as the protocol says.

        Raises:
            UnknownAdapterError: its model has no such adapter.
        """
        model = self.model_of(profile.archetype)
        if profile.adapter is not None and (
            model != self._settings.model or profile.adapter not in self._settings.adapters
        ):
            raise UnknownAdapterError(
                f"{profile.key}: adapter {profile.adapter!r} is none of {model}; those of "
                f"{self._settings.model}: {', '.join(sorted(self.adapters)) or 'none'}"
            )
        before = self._profiles.get(profile.key)
        if before is not None and self.model_of(before.archetype) != model:
            self._leave(before)
        self._profiles[profile.key] = profile
        if (engine := self._engine_of(model)) is not None:
            engine.put_npc(profile)

    def forget_npc(self, key: NpcKey) -> None:
        profile = self._profiles.get(key)
        if profile is not None:
            self._calls.cancel_npc(key)
            self._leave(profile)
            del self._profiles[key]

    def forget_world(self, world: str) -> None:
        for key in [key for key in self._profiles if key.world == world]:
            self.forget_npc(key)
        self._world_texts.pop(world, None)
        self._published.pop(world, None)
        for engine in self._engines():
            engine.forget_world(world)

    def publish(self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]) -> None:
        """Note the distances, also for models that are loaded later."""
        self._need_weights()
        self._published[world] = npcs, distance_s
        for engine in self._engines():
            engine.publish(world, npcs, distance_s)

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        weights = self._need_weights()
        profile = self._profiles.get(request.npc)
        if profile is None:
            raise UnknownNpcError(f"{request.npc} was not announced")
        tier = self._joined[0].tier(request.npc)
        end = None
        with self._calls.open(request) as call:
            pieces = self._answer(weights, self.model_of(profile.archetype), call)
            async with call.reading(pieces) as items:
                async for item in items:
                    if isinstance(item, GenerationEnd):
                        end = replace(item, tier_at_start=tier)
                    else:
                        yield item
            if end is None or call.cancelled:
                end = call.end(
                    "cancelled",
                    prompt_tokens=0,
                    cached_tokens=0,
                    generated_tokens=0,
                    tier_at_start=tier,
                )
        yield end

    def cancel(self, request_id: str) -> bool:
        return self._calls.cancel(request_id)

    def take_moves(self) -> Sequence[DoneMove]:
        """Return no moves: the server plans for this engine."""
        return ()

    def occupancy(self) -> Occupancy:
        weights = self._need_weights()
        models = tuple(
            TierUse(
                kind=StateKind.WEIGHTS,
                tier=tier,
                used_bytes=weights.used_bytes(tier),
                budget_bytes=weights.capacity_bytes(tier),
                items=weights.items(tier),
            )
            for tier in TIERS
        )
        joined = tuple(store.use(tier) for store in self._joined for tier in TIERS)
        running = sum(engine.occupancy().running for engine in self._engines())
        waiting = self._calls.running + self._calls.waiting - running
        return Occupancy((*joined, *models), running=running, queued=max(waiting, 0))

    def check_integrity(self) -> None:
        if self._weights is not None:
            for store in self.stores:
                store.check_integrity()
            for engine in self._engines():
                engine.check_integrity()

    def _need_weights(self) -> WeightsStore:
        if self._weights is None:
            state = "closed" if self._closed else "not started"
            raise EngineUnavailableError(f"the engine is {state}")
        return self._weights

    def _engines(self) -> Sequence[Engine]:
        return () if self._weights is None else tuple(self._weights.engines.values())

    def _engine_of(self, model: str) -> Engine | None:
        return None if self._weights is None else self._weights.engines.get(model)

    def _leave(self, profile: NpcProfile) -> None:
        model = self.model_of(profile.archetype)
        if (engine := self._engine_of(model)) is not None:
            engine.forget_npc(profile.key)
        for store in self._joined:
            store.forget(profile.key)

    def _owner(self, key: Hashable) -> str | None:
        """The model that a prefix or an adapter belongs to."""
        if not isinstance(key, NpcKey):
            return self._settings.model if key in self._settings.adapters else None
        profile = self._profiles.get(key)
        return None if profile is None else self.model_of(profile.archetype)

    async def _answer(
        self, weights: WeightsStore, model: str, call: Call
    ) -> AsyncGenerator[Delta | GenerationEnd]:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with contextlib.AsyncExitStack() as stack:
            try:
                engine = await stack.enter_async_context(weights.using(model))
            except EngineStartError as error:
                raise EngineUnavailableError(str(error)) from error
            waited_s = loop.time() - began_s
            async with aclosing(engine.submit(call.request)) as items:
                async for item in items:
                    if isinstance(item, GenerationEnd):
                        item = replace(
                            item,
                            queue_s=item.queue_s + waited_s,
                            ttft_s=item.ttft_s + waited_s,
                            total_s=item.total_s + waited_s,
                        )
                    else:
                        call.heard()
                    yield item

    # --- models ---

    def _weigh(self, budget_bytes: int, report: Callable[[Progress], None]) -> dict[str, int]:
        sizes = {model: self._kind.weigh(self._of(model), report) for model in self._models}
        for model, size in sizes.items():
            if size > budget_bytes:
                raise EngineStartError(
                    f"models: {model} takes {size / 1e9:.2f} GB with its KV cache, more than "
                    f"embedded.weights_budget_bytes = {budget_bytes}; raise that, or lower "
                    "embedded.device_budget_bytes"
                )
        return sizes

    def _of(self, model: str) -> EmbeddedSettings:
        adapters = self._settings.adapters if model == self._settings.model else {}
        return self._settings.model_copy(
            update={"model": model, "models": {}, "adapters": adapters}
        )

    async def _open(self, model: str) -> Engine:
        prefixes = self._joined[0]
        engine = self._kind.engine(
            self._of(model), lambda tier: prefixes.taken_by_others(model, tier), self.misfits
        )
        try:
            await engine.start(lambda _: None)
        except BaseException:
            await engine.close()
            raise
        mine = self._npcs_of(model)
        for world in {profile.key.world for profile in mine}:
            engine.set_world_prefix(world, self._world_texts.get(world, ""))
        for profile in mine:
            engine.put_npc(profile)
        for world, (npcs, distance_s) in self._published.items():
            engine.publish(world, npcs, distance_s)
        for store in self._joined:
            store.loaded(model, self._keys_of(model, store.kind))
        logger.info("model %s is loaded", model)
        return engine

    async def _shut(self, model: str, engine: Engine) -> None:
        """End a model's engine; what its NPCs have in memory goes to disk, as far as it fits."""
        on_disk: dict[StateKind, dict[Hashable, int]] = {}
        for store in engine.stores if not self._closed else ():
            keys = self._keys_of(model, store.kind)
            on_disk[store.kind] = await asyncio.to_thread(_park, store, keys)
        await engine.close()
        for joined in self._joined:
            kept = on_disk.get(joined.kind, {})
            joined.unloaded(model, kept, self._keys_of(model, joined.kind))
        logger.info("model %s is unloaded", model)

    def _npcs_of(self, model: str) -> list[NpcProfile]:
        return [p for p in self._profiles.values() if self.model_of(p.archetype) == model]

    def _keys_of(self, model: str, kind: StateKind) -> list[Hashable]:
        if kind is StateKind.ADAPTER:
            return list(self._settings.adapters) if model == self._settings.model else []
        return [profile.key for profile in self._npcs_of(model)]

    def _distances(self) -> Mapping[str, float]:
        """Per model the least distance of its NPCs."""
        least: dict[str, float] = {}
        for world, (npcs, distances) in self._published.items():
            for npc, distance_s in zip(npcs, distances.tolist(), strict=True):
                model = self._owner(NpcKey(world, npc))
                if model is not None:
                    least[model] = min(distance_s, least.get(model, np.inf))
        return least


def _park(store: StateStore, keys: Sequence[Hashable]) -> dict[Hashable, int]:
    """Move everything to disk that has room there; returns what lies there, and its bytes."""
    for key in keys:
        if store.tier(key) < Tier.DISK:
            with contextlib.suppress(ResidencyError, EngineError):
                store.evict(key, Tier.DISK)
    return {key: store.size_bytes(key) for key in keys if store.tier(key) is Tier.DISK}
