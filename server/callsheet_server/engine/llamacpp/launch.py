"""Start of llama.cpp: what it is told, by the settings and by what its model says of itself."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from callsheet_server.engine.errors import EngineError, EngineStartError
from callsheet_server.engine.hardware import total_memory_bytes
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.llamacpp.attached import AttachedServer, connect, is_url
from callsheet_server.engine.llamacpp.process import LlamaProcess, free_port
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings
from callsheet_server.engine.models.gguf_file import GgufFile

__all__ = ["Launched", "Recipe", "check_fits", "launch"]

ALL_LAYERS: Final = 999
"""Layers on the GPU: as many as there are."""
ANY_TEMPLATE: Final = "chatml"
"""Not used: prompts are sent as tokens. It keeps llama.cpp from reading the model's own."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that llama.cpp is started with, each time."""

    settings: LlamaCppSettings
    model: Path
    slots: int
    cache_tokens: int
    """Room of the KV cache that all slots share."""
    chunk_tokens: int
    state_folder: Path
    adapters: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Launched:
    """A llama.cpp that takes requests."""

    process: LlamaProcess | AttachedServer
    server: ModelServer
    url: str
    key: str

    async def close(self) -> None:
        """End it."""
        await self.server.close()
        await self.process.stop()


def check_fits(model: GgufFile, cache_tokens: int) -> None:
    """Refuse a model that this machine cannot hold.

    Raises:
        EngineStartError: it is larger than the memory.
    """
    needed = model.size_bytes + cache_tokens * model.kv_bytes_per_token
    total = total_memory_bytes()
    if total and needed > total:
        raise EngineStartError(
            f"model: {model.path.name} needs {needed / 1e9:.1f} GB with its KV cache, this machine "
            f"has {total / 1e9:.1f} GB; take a smaller model (callsheet models), or lower "
            "embedded.device_budget_bytes"
        )


async def launch(recipe: Recipe) -> Launched:
    """Start llama.cpp, or find the one that runs, and wait until it takes requests.

    Raises:
        EngineStartError: it does not start; the text says why.
    """
    if recipe.settings.server is not None and is_url(recipe.settings.server):
        return await _attach(recipe.settings.server)
    port, key = free_port(), secrets.token_urlsafe(24)
    url = f"http://127.0.0.1:{port}"
    if recipe.settings.server is None:
        asked: dict[str, Any] = {"params": _params(recipe, port, key)}
    else:
        asked = {"command": _command(recipe, recipe.settings.server, port, key)}
    process = await LlamaProcess.launch(asked | {"folder": str(recipe.state_folder)})
    server = ModelServer("llama.cpp", url, SecretStr(key), keep_alive=False)
    launched = Launched(process, server, url, key)
    try:
        await process.until_ready(server)
    except BaseException:
        await launched.close()
        raise
    return launched


async def _attach(address: str) -> Launched:
    server, url, key = connect(address)
    try:
        await server.get("/health")
    except EngineError as error:
        await server.close()
        raise EngineStartError(f"engine.llama_server: {url} does not answer: {error}") from error
    return Launched(AttachedServer(server), server, url, key)


def _params(recipe: Recipe, port: int, key: str) -> dict[str, Any]:
    """Attributes of xllamacpp's ``CommonParams``; the same as the flags below."""
    local = recipe.settings.local
    params: dict[str, Any] = {
        "model.path": str(recipe.model),
        "hostnames": ["127.0.0.1"],
        "port": port,
        "api_keys": [key],
        "ui": False,
        "chat_template": ANY_TEMPLATE,
        "n_parallel": recipe.slots,
        "n_ctx": recipe.cache_tokens,
        "kv_unified": True,
        "n_batch": recipe.chunk_tokens,
        "n_ubatch": recipe.chunk_tokens,
        "n_gpu_layers": 0 if local.device == "cpu" else ALL_LAYERS,
        "fit_params": False,
        "ctx_shift": False,
        "swa_full": True,
        "n_ctx_checkpoints": 0,
        "cache_ram_mib": 0,
        "cache_idle_slots": False,
        "slot_save_path": f"{recipe.state_folder}/",
        "endpoint_slots": True,
        "verbosity": 1,
        "warmup": False,
        "lora_adapters": [str(path) for path in recipe.adapters],
        "lora_init_without_apply": True,
    }
    if local.threads:
        params |= {"cpuparams.n_threads": local.threads, "cpuparams_batch.n_threads": local.threads}
    return params


def _command(recipe: Recipe, server: str, port: int, key: str) -> list[str]:
    """Command line of another build of llama-server."""
    local = recipe.settings.local
    flags = {
        "--model": recipe.model,
        "--host": "127.0.0.1",
        "--port": port,
        "--api-key": key,
        "--chat-template": ANY_TEMPLATE,
        "--parallel": recipe.slots,
        "--ctx-size": recipe.cache_tokens,
        "--batch-size": recipe.chunk_tokens,
        "--ubatch-size": recipe.chunk_tokens,
        "--n-gpu-layers": 0 if local.device == "cpu" else ALL_LAYERS,
        "--ctx-checkpoints": 0,
        "--cache-ram": 0,
        "--slot-save-path": recipe.state_folder,
    } | ({"--threads": local.threads} if local.threads else {})
    words = [word for name, value in flags.items() for word in (name, str(value))]
    for path in recipe.adapters:
        words += ["--lora", str(path)]
    return [
        server,
        *words,
        "--lora-init-without-apply",
        "--kv-unified",
        "--swa-full",
        "--slots",
        "--no-webui",
        "--no-warmup",
        "--no-context-shift",
    ]
