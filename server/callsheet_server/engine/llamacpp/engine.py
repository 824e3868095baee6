"""The engine ``llamacpp``: llama.cpp in a child process behind the ``Engine`` protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.state import StateStore, StateView, Tier
from callsheet_server.engine.calls import Call, Calls
from callsheet_server.engine.engine import (
    Delta,
    DoneMove,
    EngineInfo,
    GenerationEnd,
    GenerationRequest,
    NpcProfile,
    Occupancy,
    Progress,
    TierUse,
)
from callsheet_server.engine.errors import (
    ContextTooLongError,
    EngineStartError,
    EngineUnavailableError,
    UnknownAdapterError,
    UnknownNpcError,
)
from callsheet_server.engine.llamacpp.client import LlamaClient, Outcome
from callsheet_server.engine.llamacpp.launch import launch
from callsheet_server.engine.llamacpp.loading import Loaded, load
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings, LlamaCppTuning
from callsheet_server.engine.llamacpp.state_files import file_name
from callsheet_server.engine.llamacpp.turns import Turns
from callsheet_server.engine.misfits import Misfits
from callsheet_server.engine.prefix_budgets import nothing_else
from callsheet_server.engine.profiles import of_world
from callsheet_server.engine.prompt import NpcPrefix
from callsheet_server.world.key import NpcKey

__all__ = ["LlamaCppEngine"]

logger = logging.getLogger(__name__)


class LlamaCppEngine:
    """An ``Engine`` that runs llama.cpp in a child process.

    An NPC's prefix on the device is a slot of llama.cpp that is its own; on the host and on disk it
    is a file of that slot's state. Prompts are tokenised in a thread of their own, in the order of
    the calls; all else happens on the event loop. A child that dies is started again; what lay in
    its slots is computed anew.
    """

    def __init__(
        self,
        settings: LlamaCppSettings,
        tuning: LlamaCppTuning | None = None,
        *,
        others: Callable[[Tier], int] = nothing_else,
        misfits: Misfits | None = None,
    ) -> None:
        """``tuning``, ``misfits``: absent = the usual; ``others``: see ``PrefixBudgets``."""
        self._settings = settings
        self._others = others
        self._tuning = tuning or LlamaCppTuning()
        self._max_batch = settings.local.max_batch or self._tuning.max_batch
        self._turns = Turns(self._max_batch)
        self._calls = Calls(self._max_batch + self._tuning.max_queue)
        self._profiles: dict[NpcKey, NpcProfile] = {}
        self._world_texts: dict[str, str] = {}
        self._loaded: Loaded | None = None
        self._supervising: asyncio.Task[None] | None = None
        self._closed = False
        self.misfits = misfits or Misfits()
        self._prompt_thread = ThreadPoolExecutor(1, thread_name_prefix="callsheet-prompt")
        self._npc_prefixes: dict[NpcKey, NpcPrefix] = {}
        """Of the prompt thread."""

    @property
    def info(self) -> EngineInfo:
        return self._need_loaded().info

    @property
    def stores(self) -> Sequence[StateStore]:
        loaded = self._need_loaded()
        return (loaded.store, loaded.adapters) if self.adapters else (loaded.store,)

    @property
    def prefixes(self) -> StateView:
        return self._need_loaded().store

    @property
    def adapters(self) -> frozenset[str]:
        return frozenset(self._settings.local.adapters)

    async def start(self, report: Callable[[Progress], None]) -> None:
        if self._closed:
            raise EngineUnavailableError("the engine was closed; make a new one")
        loaded = await load(self._settings, self._tuning, self._prompt_thread, report, self._others)
        self._loaded = loaded
        self._supervising = asyncio.create_task(self._supervise(loaded))
        for profile in self._profiles.values():
            self.put_npc(profile)

    async def close(self) -> None:
        self._closed = True
        self._calls.cancel_all()
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            if self._supervising is not None:
                self._supervising.cancel()
                await asyncio.gather(self._supervising, return_exceptions=True)
            loaded.store.detach()
            await loaded.launched.close()
            await loaded.store.settle()
            await asyncio.to_thread(loaded.tokenizer.close)
            await asyncio.to_thread(loaded.files.close)
        self._prompt_thread.shutdown(wait=False)

    def set_world_prefix(self, world: str, text: str) -> Iterator[None]:
        self._world_texts[world] = text
        return of_world(self._profiles, world, self.put_npc)

    def put_npc(self, profile: NpcProfile) -> None:
        """Announce an NPC, as the protocol says.

        Raises:
            UnknownAdapterError: the profile names an adapter that is not in the settings.
        """
        if profile.adapter is not None and profile.adapter not in self.adapters:
            known = ", ".join(sorted(self.adapters)) or "none"
            raise UnknownAdapterError(
                f"{profile.key}: adapter {profile.adapter!r} is unknown; known: {known}"
            )
        self._profiles[profile.key] = profile
        text = self._world_texts.get(profile.key.world, "")
        self._on_prompt_thread(self._register, text, profile)

    def forget_npc(self, key: NpcKey) -> None:
        if self._profiles.pop(key, None) is None:
            return
        self._calls.cancel_npc(key)
        self._on_prompt_thread(self._forget, key)

    def forget_world(self, world: str) -> None:
        for key in [key for key in self._profiles if key.world == world]:
            self.forget_npc(key)
        self._world_texts.pop(world, None)
        if self._loaded is not None:
            self._loaded.store.published.pop(world, None)
        self._on_prompt_thread(self._forget_world, world)

    def publish(self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]) -> None:
        """Note the distances: who is farthest makes room for a request that cannot wait."""
        self._need_loaded().store.published[world] = (npcs, distance_s)

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        loaded = self._need_loaded()
        if request.npc not in self._profiles:
            raise UnknownNpcError(f"{request.npc} was not announced")
        with self._calls.open(request) as call:
            tier = loaded.store.tier(request.npc)
            answer = _Answer(call)
            async with call.reading(self._answer(loaded, answer)) as pieces:
                async for piece in pieces:
                    yield piece
            end = call.end(
                answer.outcome.reason or "stop",
                prompt_tokens=answer.prompt_tokens,
                cached_tokens=max(answer.outcome.cached_tokens - answer.computed_tokens, 0),
                generated_tokens=answer.outcome.generated_tokens,
                tier_at_start=tier,
                queue_s=answer.queue_s,
            )
        yield end

    def cancel(self, request_id: str) -> bool:
        return self._calls.cancel(request_id)

    def take_moves(self) -> Sequence[DoneMove]:
        """Return no moves: the server plans for this engine."""
        return ()

    def occupancy(self) -> Occupancy:
        loaded = self._need_loaded()
        tiers = tuple(
            TierUse(
                kind=store.kind,
                tier=tier,
                used_bytes=store.used_bytes(tier),
                budget_bytes=store.capacity_bytes(tier),
                items=store.items(tier),
            )
            for store in (loaded.store, *([loaded.adapters] if self.adapters else ()))
            for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK)
        )
        return Occupancy(tiers, running=self._turns.running, queued=self._turns.waiting)

    def check_integrity(self) -> None:
        if self._loaded is not None:
            self._loaded.store.check_integrity()

    def _need_loaded(self) -> Loaded:
        if self._loaded is None:
            state = "closed" if self._closed else "not started"
            raise EngineUnavailableError(f"the engine is {state}")
        return self._loaded

    async def _answer(self, loaded: Loaded, answer: _Answer) -> AsyncGenerator[Delta]:
        request, store = answer.call.request, loaded.store
        loop = asyncio.get_running_loop()
        prompt = await loop.run_in_executor(
            self._prompt_thread, partial(self._prompt, loaded, request)
        )
        answer.prompt_tokens = len(prompt)
        entry = store.get(request.npc)
        if entry is None:
            raise UnknownNpcError(f"{request.npc} was forgotten")
        async with self._turns.turn(int(request.priority)):
            answer.queue_s = loop.time() - answer.began_s
            room = len(prompt) + request.max_new_tokens
            with store.hurry() as first_token:
                async with store.running(entry, request.request_id, room) as place:
                    answer.computed_tokens = place.computed_tokens
                    pieces = loaded.client.generate(
                        place.slot,
                        prompt,
                        answer.call,
                        answer.outcome,
                        prefix_tokens=len(entry.tokens),
                        adapter=entry.adapter,
                    )
                    try:
                        async with aclosing(pieces):
                            async for piece in pieces:
                                first_token()
                                yield piece
                    finally:
                        if entry.slot == place.slot:
                            entry.held_tokens = max(
                                len(entry.tokens),
                                min(room, len(prompt) + answer.outcome.generated_tokens),
                            )

    # --- prompt thread ---

    def _on_prompt_thread(self, function: Callable[..., None], *arguments: Any) -> None:
        if self._loaded is not None:
            job = self._prompt_thread.submit(function, self._loaded, *arguments)
            job.add_done_callback(_log_failure)

    def _register(self, loaded: Loaded, world_text: str, profile: NpcProfile) -> None:
        if self._closed:
            return
        key = profile.key
        try:
            fingerprint = loaded.adapters.fingerprint(profile.adapter)
            prefix = loaded.prompts.prefix(world_text, profile, fingerprint)
        except Exception:
            self._npc_prefixes.pop(key, None)
            raise
        self._npc_prefixes[key] = prefix
        tokens = len(prefix.world) + len(prefix.persona)
        if self.misfits.judge(key, tokens, loaded.info.context_limit_tokens):
            loaded.store.call(loaded.store.begin, loaded.store.forget, key)
            return
        on_disk = None
        known = loaded.store.get(key)
        if known is None or known.prefix.fingerprint != prefix.fingerprint:
            on_disk = loaded.files.adopt(file_name(key), prefix.fingerprint)
        adapter = loaded.adapters.number(profile.adapter)
        loaded.store.call(loaded.store.register, key, prefix, on_disk, adapter)

    def _forget(self, loaded: Loaded, key: NpcKey) -> None:
        self._npc_prefixes.pop(key, None)
        self.misfits.forget(key)
        loaded.store.call(loaded.store.begin, loaded.store.forget, key)

    def _forget_world(self, loaded: Loaded, world: str) -> None:
        loaded.store.call(loaded.store.begin, loaded.store.forget_world, world)

    def _prompt(self, loaded: Loaded, request: GenerationRequest) -> tuple[int, ...]:
        if why := self.misfits.why(request.npc):
            raise ContextTooLongError(f"{request.npc}: {why}")
        prefix = self._npc_prefixes.get(request.npc)
        if prefix is None:
            raise UnknownNpcError(f"{request.npc} was forgotten")
        return loaded.prompts.prompt(prefix, request)

    # --- llama.cpp ---

    async def _supervise(self, loaded: Loaded) -> None:
        """Start llama.cpp again whenever it dies."""
        pause_s = self._tuning.restart_min_s
        while True:
            await asyncio.wait((loaded.launched.process.ended,))
            logger.error("llama.cpp died: %s", loaded.launched.process.last_words)
            loaded.store.detach()
            self._calls.fail_all("llama.cpp died; it is being started again")
            await loaded.launched.close()
            while True:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._tuning.restart_max_s)
                with suppress(EngineStartError):
                    loaded.launched = await launch(loaded.recipe)
                    break
            loaded.client = LlamaClient(loaded.launched.server)
            loaded.tokenizer.connect(loaded.launched.url, loaded.launched.key)
            loaded.store.attach(loaded.client)
            for profile in self._profiles.values():
                self.put_npc(profile)  # Some may have come while nothing could tokenise.
            logger.warning("llama.cpp is back")


class _Answer:
    """Facts about a reply, as it is made."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.outcome = Outcome()
        self.prompt_tokens = 0
        self.computed_tokens = 0
        """Of the prefix, for this reply."""
        self.queue_s = 0.0
        self.began_s = asyncio.get_running_loop().time()


def _log_failure(job: Future[None]) -> None:
    if not job.cancelled() and (error := job.exception()) is not None:
        logger.error("registering failed", exc_info=error)
