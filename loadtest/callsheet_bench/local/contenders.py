"""Contenders: ways of running the same model, behind one method that asks an NPC."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from callsheet_bench.local.cast import profile, question
from callsheet_bench.local.machine import is_busy
from callsheet_server.engine.calls import Call
from callsheet_server.engine.chat_format import ChatFormat
from callsheet_server.engine.embedded.settings import EmbeddedSettings
from callsheet_server.engine.engine import Delta, Engine, GenerationEnd
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.llamacpp.client import LlamaClient, Outcome
from callsheet_server.engine.llamacpp.engine import LlamaCppEngine
from callsheet_server.engine.llamacpp.process import POLITE, LlamaProcess, free_port
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings
from callsheet_server.engine.llamacpp.tokenizer import LlamaTokenizer
from callsheet_server.engine.models.gguf_file import GgufFile
from callsheet_server.engine.prompt import NpcPrefix, PromptBuilder

__all__ = ["Contender", "Engined", "Reply", "Stock", "engined", "llamacpp", "stock"]

CONTEXT_TOKENS = 1024
"""Room of one NPC: persona, question and reply, with a third to spare."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Course of one reply."""

    ttft_s: float
    tokens: int


class Contender(Protocol):
    """Something that speaks as NPCs."""

    async def ask(self, npc: str, tokens: int) -> Reply:
        """Ask an NPC, and read its reply to the end."""


class Engined:
    """One of the server's own engines."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def ask(self, npc: str, tokens: int) -> Reply:
        end = None
        async for item in self.engine.submit(question(npc, tokens)):
            if not isinstance(item, Delta):
                end = item
        assert isinstance(end, GenerationEnd)
        return Reply(end.ttft_s, end.generated_tokens)


class Stock:
    """llama-server as it comes: it chooses the slot, and caches prompts by its own rules."""

    def __init__(self, client: LlamaClient, prompts: PromptBuilder) -> None:
        self._client = client
        self._prompts = prompts
        self._prefixes: dict[str, NpcPrefix] = {}
        self._tokenising = asyncio.Lock()

    async def ask(self, npc: str, tokens: int) -> Reply:
        request = question(npc, tokens)
        async with self._tokenising:
            if npc not in self._prefixes:  # Ours has it ready too.
                prefix = await asyncio.to_thread(self._prompts.prefix, "", profile(npc), "")
                self._prefixes[npc] = prefix
            prompt = await asyncio.to_thread(self._prompts.prompt, self._prefixes[npc], request)
        call, outcome = Call(request), Outcome()
        async for _ in self._client.generate(-1, prompt, call, outcome):
            pass
        return Reply(call.ttft_s, outcome.generated_tokens)


@contextlib.asynccontextmanager
async def engined(engine: Engine, npcs: list[str]) -> AsyncIterator[Engined]:
    """Run an engine with these NPCs announced."""
    await engine.start(lambda _: None)
    try:
        for npc in npcs:
            engine.put_npc(profile(npc))
        yield Engined(engine)
    finally:
        await engine.close()


def llamacpp(model: Path, room_npcs: int, token_bytes: int) -> LlamaCppEngine:
    """Our engine, with room for the prefixes of so many NPCs on the device."""
    settings = EmbeddedSettings(
        model=str(model),
        context_limit_tokens=CONTEXT_TOKENS,
        device_budget_bytes=room_npcs * CONTEXT_TOKENS * token_bytes,
        host_budget_bytes=8 << 30,
        disk_budget_bytes=0,
    )
    return LlamaCppEngine(LlamaCppSettings(settings))


@contextlib.asynccontextmanager
async def stock(model: GgufFile, slots: int, cache_ram_mib: int) -> AsyncIterator[Stock]:
    """Run llama-server with its own defaults, but for slots, context and its cache on the host.

    Where others use the cores, its threads wait as ours do: by its own default it would be twenty
    times slower than it is.
    """
    port, key = free_port(), secrets.token_urlsafe(16)
    params: Mapping[str, Any] = {
        "model.path": str(model.path),
        "hostnames": ["127.0.0.1"],
        "port": port,
        "api_keys": [key],
        "ui": False,
        "n_parallel": slots,
        "n_ctx": slots * CONTEXT_TOKENS,
        "cache_ram_mib": cache_ram_mib,
        "n_gpu_layers": 0,
        "verbosity": 1,
    }
    url = f"http://127.0.0.1:{port}"
    folder = tempfile.mkdtemp()  # Deleted by the child.
    process = await LlamaProcess.launch(
        {"params": params, "folder": folder}, POLITE if is_busy() else {}
    )
    server = ModelServer("llama.cpp", url, SecretStr(key), keep_alive=False)
    try:
        await process.until_ready(server)
        tokenizer = LlamaTokenizer(model)
        tokenizer.connect(url, key)
        prompts = await asyncio.to_thread(
            lambda: PromptBuilder(tokenizer, ChatFormat.of(tokenizer), "", CONTEXT_TOKENS)
        )
        yield Stock(LlamaClient(server), prompts)
        tokenizer.close()
    finally:
        await server.close()
        await process.stop()
