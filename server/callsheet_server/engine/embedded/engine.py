"""The embedded engine: ties prompts, state and the model thread to the ``Engine`` protocol."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.state import StateStore, StateView, Tier
from callsheet_server.engine.chat_format import ChatFormat
from callsheet_server.engine.embedded.adapter_store import AdapterStore
from callsheet_server.engine.embedded.disk import KvDisk
from callsheet_server.engine.embedded.generation import Generation, Reply, Run, TextStream
from callsheet_server.engine.embedded.prefix_entry import WorldKey
from callsheet_server.engine.embedded.prefix_store import PrefixStore
from callsheet_server.engine.embedded.runner import ModelRunner, load_runner
from callsheet_server.engine.embedded.sampling import GrammarCompiler, Sampler
from callsheet_server.engine.embedded.scheduler import Scheduler
from callsheet_server.engine.embedded.settings import EmbeddedSettings, EmbeddedTuning
from callsheet_server.engine.embedded.stepper import Stepper
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
    EngineOverloadedError,
    EngineUnavailableError,
    GenerationError,
    UnknownAdapterError,
    UnknownNpcError,
)
from callsheet_server.engine.misfits import Misfits
from callsheet_server.engine.models.adapters import read_adapters
from callsheet_server.engine.models.cache import cache_dir, resolve_model
from callsheet_server.engine.models.suggested_sampling import suggested_sampling
from callsheet_server.engine.prefix_budgets import PrefixBudgets, nothing_else
from callsheet_server.engine.profiles import of_world
from callsheet_server.engine.prompt import NpcPrefix, PromptBuilder
from callsheet_server.world.key import NpcKey

__all__ = ["EmbeddedEngine"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Parts of the engine that exist between ``start`` and ``close``."""

    info: EngineInfo
    runner: ModelRunner
    scheduler: Scheduler
    prefixes: PrefixStore
    adapters: AdapterStore
    prompts: PromptBuilder
    grammars: GrammarCompiler


class EmbeddedEngine:
    """An ``Engine`` that runs a transformers model in this process.

    Three threads take part: the event loop, which never waits; the *prompt* thread, which tokenises
    and registers, in the order of the calls; the *model* thread, which computes.
    """

    def __init__(
        self,
        settings: EmbeddedSettings,
        tuning: EmbeddedTuning | None = None,
        *,
        others: Callable[[Tier], int] = nothing_else,
        misfits: Misfits | None = None,
    ) -> None:
        """``tuning``, ``misfits``: absent = the usual; ``others``: see ``PrefixBudgets``."""
        self._settings = settings
        self._others = others
        self._tuning = tuning or EmbeddedTuning()
        self._max_batch = settings.max_batch or self._tuning.max_batch
        self._profiles: dict[NpcKey, NpcProfile] = {}
        self._world_texts: dict[str, str] = {}
        self._replies: dict[str, Reply] = {}
        self._loaded: _Loaded | None = None
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
        return (loaded.prefixes, loaded.adapters)

    @property
    def prefixes(self) -> StateView:
        return self._need_loaded().prefixes

    @property
    def adapters(self) -> frozenset[str]:
        return frozenset(self._settings.adapters)

    async def start(self, report: Callable[[Progress], None]) -> None:
        if self._closed:
            raise EngineUnavailableError("the engine was closed; make a new one")
        loop = asyncio.get_running_loop()
        loaded = await loop.run_in_executor(self._prompt_thread, self._load, report)
        loaded.scheduler.start()
        self._loaded = loaded
        for profile in self._profiles.values():
            self.put_npc(profile)

    async def close(self) -> None:
        self._closed = True
        for reply in self._replies.values():
            reply.cancelled = True
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            await asyncio.to_thread(loaded.scheduler.close)
        self._prompt_thread.shutdown(wait=False)

    def set_world_prefix(self, world: str, text: str) -> Iterator[None]:
        self._world_texts[world] = text
        return of_world(self._profiles, world, self.put_npc)

    def put_npc(self, profile: NpcProfile) -> None:
        """Announce an NPC, as the protocol says.

        Raises:
            UnknownAdapterError: the profile names an adapter that is not in the settings.
        """
        if profile.adapter is not None and profile.adapter not in self._settings.adapters:
            known = ", ".join(sorted(self._settings.adapters)) or "none"
            raise UnknownAdapterError(
                f"{profile.key}: adapter {profile.adapter!r} is unknown; known: {known}"
            )
        self._profiles[profile.key] = profile
        text = self._world_texts.get(profile.key.world, "")
        self._on_prompt_thread(self._register, text, profile)

    def forget_npc(self, key: NpcKey) -> None:
        if self._profiles.pop(key, None) is None:
            return
        for request_id, reply in list(self._replies.items()):
            if reply.npc == key:
                self.cancel(request_id)
        self._on_prompt_thread(self._forget, key)

    def forget_world(self, world: str) -> None:
        for key in [key for key in self._profiles if key.world == world]:
            self.forget_npc(key)
        self._world_texts.pop(world, None)
        if self._loaded is not None:
            self._loaded.prefixes.published.pop(world, None)
        self._on_prompt_thread(self._forget_world, world)

    def publish(self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]) -> None:
        """Note the distances: who is farthest makes room for a request that cannot wait."""
        loaded = self._need_loaded()
        loaded.prefixes.published[world] = (npcs, distance_s)

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        loaded = self._need_loaded()
        self._check_request(request, loaded)
        submitted_s = time.perf_counter()
        tier = loaded.prefixes.tier(request.npc)
        loop = asyncio.get_running_loop()
        reply = Reply(request.npc, loop)
        self._replies[request.request_id] = reply
        try:
            run = await loop.run_in_executor(
                self._prompt_thread,
                partial(self._make_run, loaded, request, reply, tier, submitted_s),
            )
            loaded.scheduler.submit(run)
            while not isinstance(item := await reply.get(), GenerationEnd):
                yield item
        finally:
            del self._replies[request.request_id]
            reply.cancelled = True
        yield item

    def cancel(self, request_id: str) -> bool:
        reply = self._replies.get(request_id)
        if reply is None:
            return False
        reply.cancelled = True
        if self._loaded is not None:
            self._loaded.scheduler.wake()
        return True

    def take_moves(self) -> Sequence[DoneMove]:
        """Return no moves: the server plans for this engine."""
        return ()

    def occupancy(self) -> Occupancy:
        loaded = self._need_loaded()
        running = loaded.scheduler.running
        return Occupancy(
            tiers=tuple(
                TierUse(
                    kind=store.kind,
                    tier=tier,
                    used_bytes=store.used_bytes(tier),
                    budget_bytes=store.capacity_bytes(tier),
                    items=store.items(tier),
                )
                for store in (loaded.prefixes, loaded.adapters)
                for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK)
            ),
            running=running,
            queued=max(0, len(self._replies) - running),
        )

    def check_integrity(self) -> None:
        if self._loaded is not None:
            self._loaded.prefixes.check_integrity()
            self._loaded.adapters.check_integrity()

    def _need_loaded(self) -> _Loaded:
        if self._loaded is None:
            state = "closed" if self._closed else "not started"
            raise EngineUnavailableError(f"the engine is {state}")
        return self._loaded

    def _check_request(self, request: GenerationRequest, loaded: _Loaded) -> None:
        if request.npc not in self._profiles:
            raise UnknownNpcError(f"{request.npc} was not announced")
        if request.request_id in self._replies:
            raise GenerationError(f"request_id {request.request_id!r} is in use; choose another")
        if not request.turns:
            raise GenerationError("turns: is empty; give at least the turn to answer")
        if request.max_new_tokens < 1:
            raise GenerationError(f"max_new_tokens: is {request.max_new_tokens}; give at least 1")
        running, waiting = self._max_batch, self._tuning.max_queue
        if len(self._replies) >= running + waiting:
            queued_s = loaded.scheduler.steps.mean_run_s * waiting / running
            raise EngineOverloadedError(
                f"{waiting} requests are waiting (max_queue); try again in {queued_s:.1f} s",
                retry_after_s=queued_s,
            )

    # --- prompt thread ---

    def _on_prompt_thread(self, function: Callable[..., None], *arguments: Any) -> None:
        if self._loaded is not None:
            job = self._prompt_thread.submit(function, self._loaded, *arguments)
            job.add_done_callback(_log_failure)

    def _load(self, report: Callable[[Progress], None]) -> _Loaded:
        settings, tuning = self._settings, self._tuning
        folder = resolve_model(settings.model, report)
        runner = load_runner(folder, settings, tuning, report)
        scheduler = Scheduler(self._max_batch)
        state_dir = settings.state_dir or cache_dir() / "state"
        prefixes = PrefixStore(
            runner.shape,
            runner.device,
            PrefixBudgets(settings, self._others),
            KvDisk(state_dir / runner.fingerprint[:16]),
            scheduler.build,
        )
        adapters = AdapterStore(
            runner,
            read_adapters("embedded", settings.adapters, settings.model, folder),
            device_budget_bytes=tuning.adapter_device_budget_bytes,
            host_budget_bytes=tuning.adapter_host_budget_bytes,
            call=scheduler.call,
        )
        scheduler.steps = Stepper(
            runner,
            prefixes,
            adapters,
            chunk_tokens=tuning.prefill_chunk_tokens,
            keep_conversation=tuning.keep_conversation,
        )
        prompts = PromptBuilder(
            runner.tokenizer,
            ChatFormat.of(runner.tokenizer),
            runner.fingerprint,
            runner.context_limit_tokens,
        )
        grammars = GrammarCompiler(runner.tokenizer, runner.vocab_size, runner.eos_ids)
        info = EngineInfo(
            name="embedded",
            version=f"transformers {version('transformers')}, torch {version('torch')}",
            model=settings.model,
            device=str(runner.device),
            context_limit_tokens=runner.context_limit_tokens,
            keeps_residency=True,
            max_requests=self._max_batch + tuning.max_queue,
            begins_in_thought=prompts.begins_in_thought,
            sampling=suggested_sampling(folder),
        )
        return _Loaded(info, runner, scheduler, prefixes, adapters, prompts, grammars)

    def _register(self, loaded: _Loaded, world_text: str, profile: NpcProfile) -> None:
        if self._closed:
            return
        try:
            prefix = loaded.prompts.prefix(
                world_text, profile, loaded.adapters.fingerprint(profile.adapter)
            )
        except Exception:
            self._npc_prefixes.pop(profile.key, None)
            raise
        self._npc_prefixes[profile.key] = prefix
        tokens = len(prefix.world) + len(prefix.persona)
        if self.misfits.judge(profile.key, tokens, loaded.info.context_limit_tokens):
            loaded.prefixes.drop(profile.key)
            return
        world = loaded.prefixes.register(
            WorldKey(profile.key.world, profile.adapter),
            prefix.world_fingerprint,
            prefix.world,
            adapter=profile.adapter,
        )
        loaded.prefixes.register(
            profile.key,
            prefix.fingerprint,
            prefix.persona,
            world=world,
            adapter=profile.adapter,
        )

    def _forget(self, loaded: _Loaded, key: NpcKey) -> None:
        self._npc_prefixes.pop(key, None)
        self.misfits.forget(key)
        loaded.prefixes.drop(key)

    def _forget_world(self, loaded: _Loaded, world: str) -> None:
        loaded.prefixes.drop_world(world)

    def _make_run(
        self,
        loaded: _Loaded,
        request: GenerationRequest,
        reply: Reply,
        tier: Tier,
        submitted_s: float,
    ) -> Run:
        prefix = self._npc_prefixes.get(request.npc)
        entry = loaded.prefixes.get(request.npc)
        if why := self.misfits.why(request.npc):
            raise ContextTooLongError(f"{request.npc}: {why}")
        if prefix is None or entry is None:
            raise UnknownNpcError(f"{request.npc} was forgotten")
        prompt = loaded.prompts.prompt(prefix, request)
        schema = request.json_schema
        matcher = None if schema is None else loaded.grammars.matcher(schema)
        said_before = loaded.prompts.said_before(request) if schema is None else []
        generation = Generation(
            reply=reply,
            sampler=Sampler(request.sampling, matcher, loaded.runner.device, said_before),
            text=TextStream(loaded.runner.tokenizer.backend_tokenizer, request.stop),
            max_new_tokens=request.max_new_tokens,
            prompt_tokens=len(prompt),
            tier_at_start=tier,
            submitted_s=submitted_s,
        )
        return Run(
            entry=entry,
            tokens=list(prompt),
            priority=int(request.priority),
            generation=generation,
        )


def _log_failure(job: Future[None]) -> None:
    if not job.cancelled() and (error := job.exception()) is not None:
        _log.error("registering failed", exc_info=error)
