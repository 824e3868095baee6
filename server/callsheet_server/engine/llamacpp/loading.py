"""Loading of the engine ``llamacpp``: from settings to a llama.cpp that runs."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from callsheet_residency.state import Tier
from callsheet_server.engine.chat_format import ChatFormat
from callsheet_server.engine.engine import EngineInfo, Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.llamacpp.adapter_store import AdapterStore
from callsheet_server.engine.llamacpp.attached import is_url, look_at, without_key
from callsheet_server.engine.llamacpp.client import LlamaClient
from callsheet_server.engine.llamacpp.launch import Launched, Recipe, check_fits, launch
from callsheet_server.engine.llamacpp.prefix_store import PrefixStore
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings, LlamaCppTuning
from callsheet_server.engine.llamacpp.slot_pool import SlotPool
from callsheet_server.engine.llamacpp.state_files import StateFiles
from callsheet_server.engine.llamacpp.tokenizer import LlamaTokenizer
from callsheet_server.engine.models.cache import cache_dir
from callsheet_server.engine.models.gguf_cache import resolve_gguf
from callsheet_server.engine.models.gguf_file import GgufFile, read_gguf, read_gguf_adapter
from callsheet_server.engine.prefix_budgets import PrefixBudgets
from callsheet_server.engine.prompt import PromptBuilder

__all__ = ["Loaded", "load", "weigh"]

TALK_TOKENS: Final = 384
"""Room beyond the budget for each reply under way: a few turns and the answer."""


@dataclass(slots=True)
class Loaded:
    """Parts of the engine that exist between ``start`` and ``close``."""

    info: EngineInfo
    recipe: Recipe
    files: StateFiles
    store: PrefixStore
    adapters: AdapterStore
    tokenizer: LlamaTokenizer
    prompts: PromptBuilder
    launched: Launched
    client: LlamaClient


async def load(
    settings: LlamaCppSettings,
    tuning: LlamaCppTuning,
    thread: Executor,
    report: Callable[[Progress], None],
    others: Callable[[Tier], int],
) -> Loaded:
    """Find the model, start llama.cpp with it, and make what works with both.

    Args:
        settings: of the engine.
        tuning: of the engine.
        thread: the one that tokenises.
        report: told of the progress, from any thread.
        others: bytes that prefixes of other models take in a tier.

    Raises:
        EngineStartError: the model or llama.cpp is of no use here.
    """
    local = settings.local
    loop = asyncio.get_running_loop()
    model, limit_tokens, pool = await loop.run_in_executor(thread, _find, settings, tuning, report)
    if settings.server is not None and is_url(settings.server):
        if local.adapters:
            raise EngineStartError("embedded.adapters: not with engine.llama_server = a URL")
        slots = await look_at(settings.server, model)
        pool = SlotPool.of_slots(slots.count, slots.tokens)
        limit_tokens = min(limit_tokens, slots.tokens)
        room = pool.tokens * model.kv_bytes_per_token
        # Its files lie with it: what leaves a slot is computed anew.
        budgets = {"device_budget_bytes": room, "host_budget_bytes": 0, "disk_budget_bytes": 0}
        local = local.model_copy(update=budgets)
    report(Progress("llama.cpp", 0, 0, "steps"))
    adapters = AdapterStore(
        {
            adapter: await loop.run_in_executor(thread, read_gguf_adapter, path, model)
            for adapter, path in local.adapters.items()
        }
    )
    state = (local.state_dir or cache_dir() / "state") / f"llamacpp-{model.fingerprint}"
    async with AsyncExitStack() as taken:
        files = await asyncio.to_thread(StateFiles, state)
        taken.push_async_callback(asyncio.to_thread, files.close)
        recipe = Recipe(
            settings,
            model.path,
            pool.slots,
            pool.tokens,
            tuning.chunk_tokens,
            files.memory,
            adapters.paths,
        )
        launched = await launch(recipe)
        taken.push_async_callback(launched.close)
        tokenizer = LlamaTokenizer(model)
        tokenizer.connect(launched.url, launched.key)
        prompts = await loop.run_in_executor(
            thread,
            lambda: PromptBuilder(
                tokenizer, ChatFormat.of(tokenizer), model.fingerprint, limit_tokens
            ),
        )
        store = PrefixStore(
            pool,
            files,
            PrefixBudgets(local, others),
            token_bytes=model.kv_bytes_per_token,
            chunk_tokens=tuning.chunk_tokens,
        )
        client = LlamaClient(launched.server)
        store.attach(client)
        info = EngineInfo(
            name="llamacpp",
            version=await asyncio.to_thread(_version, settings),
            model=local.model,
            device=_device(settings, launched.process.devices),
            context_limit_tokens=limit_tokens,
            keeps_residency=True,
            max_requests=(local.max_batch or tuning.max_batch) + tuning.max_queue,
            begins_in_thought=prompts.begins_in_thought,
            sampling=model.sampling,
        )
        taken.pop_all()
        return Loaded(info, recipe, files, store, adapters, tokenizer, prompts, launched, client)


def weigh(
    settings: LlamaCppSettings, tuning: LlamaCppTuning, report: Callable[[Progress], None]
) -> int:
    """Bytes of the model and its KV cache once loaded; blocks.

    Raises:
        EngineStartError: the model is of no use here.
    """
    model, _, pool = _find(settings, tuning, report)
    return model.size_bytes + pool.tokens * model.kv_bytes_per_token


def _find(
    settings: LlamaCppSettings, tuning: LlamaCppTuning, report: Callable[[Progress], None]
) -> tuple[GgufFile, int, SlotPool]:
    """The model, the tokens of its context, and the slots that it is to have."""
    local = settings.local
    model = read_gguf(resolve_gguf(local.model, report))
    limit_tokens = int(min(local.context_limit_tokens, model.context_tokens or math.inf))
    talk_tokens = (local.max_batch or tuning.max_batch) * TALK_TOKENS
    budget_tokens = local.device_budget_bytes // model.kv_bytes_per_token
    pool = SlotPool(max(budget_tokens + talk_tokens, limit_tokens))
    check_fits(model, pool.tokens)
    return model, limit_tokens, pool


def _device(settings: LlamaCppSettings, names: Sequence[str]) -> str:
    """The device that computes: the first GPU, if one may be used."""
    if settings.local.device == "cpu" or len(names) == 1:
        return "cpu"
    return names[0] if names else "not known"


def _version(settings: LlamaCppSettings) -> str:
    if settings.server is not None:
        return without_key(settings.server) if is_url(settings.server) else settings.server
    with suppress(PackageNotFoundError):
        return f"xllamacpp {version('xllamacpp')}"
    return "unknown"
