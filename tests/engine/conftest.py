from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
from engine.harness import Talk, save_tiny_model
from engine.tiny_gguf import write_tiny_gguf

from callsheet_server.engine.embedded.engine import EmbeddedEngine
from callsheet_server.engine.embedded.settings import EmbeddedSettings, EmbeddedTuning
from callsheet_server.engine.llamacpp.engine import LlamaCppEngine
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings, LlamaCppTuning

torch.set_num_threads(1)

StartEngine = Callable[..., Awaitable[Talk]]


TUNED = {field.name for field in fields(EmbeddedTuning)}


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-model")
    save_tiny_model(folder)
    return folder


@pytest.fixture
async def start_engine(tiny_model: Path, tmp_path: Path) -> AsyncIterator[StartEngine]:
    """Starts embedded engines; each is checked for integrity and closed at the end."""
    engines: list[EmbeddedEngine] = []

    async def start(**settings: Any) -> Talk:
        defaults: dict[str, Any] = {
            "model": str(tiny_model),
            "device": "cpu",
            "threads": 1,
            "context_limit_tokens": 512,
            "prefill_chunk_tokens": 32,
            "block_tokens": 16,
            "device_budget_bytes": 8 << 20,
            "state_dir": tmp_path / "state",
        }
        chosen = {**defaults, **settings}
        tuning = {name: chosen.pop(name) for name in TUNED & chosen.keys()}
        engine = EmbeddedEngine(EmbeddedSettings(**chosen), EmbeddedTuning(**tuning))
        engines.append(engine)
        await engine.start(lambda _: None)
        return Talk(engine)

    async with contextlib.AsyncExitStack() as stack:
        yield start
        for engine in engines:
            stack.push_async_callback(engine.close)
        for engine in engines:
            await asyncio.to_thread(engine.check_integrity)


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(tmp_path_factory.mktemp("tiny-gguf") / "tiny.gguf")


@pytest.fixture
async def start_llamacpp(tiny_gguf: Path, tmp_path: Path) -> AsyncIterator[StartEngine]:
    """Starts llama.cpp engines; each is checked for integrity and closed at the end."""
    pytest.importorskip("xllamacpp", reason="llamacpp: xllamacpp has no wheel for this system")
    engines: list[LlamaCppEngine] = []

    async def start(**settings: Any) -> Talk:
        defaults: dict[str, Any] = {
            "model": str(tiny_gguf),
            "threads": 1,
            "context_limit_tokens": 512,
            "device_budget_bytes": 8 << 20,
            "state_dir": tmp_path / "state",
        }
        chosen = {**defaults, **settings}
        tuned = {field.name for field in fields(LlamaCppTuning)} & chosen.keys()
        tuning = LlamaCppTuning(**{name: chosen.pop(name) for name in tuned})
        server = chosen.pop("server", None)
        own = LlamaCppSettings(EmbeddedSettings(**chosen), server)
        engine = LlamaCppEngine(own, tuning)
        engines.append(engine)
        await engine.start(lambda _: None)
        return Talk(engine)

    async with contextlib.AsyncExitStack() as stack:
        yield start
        for engine in engines:
            stack.push_async_callback(engine.close)
        for engine in engines:
            await asyncio.to_thread(engine.check_integrity)


@pytest.fixture(params=["embedded", "llamacpp"])
def start_local(
    request: pytest.FixtureRequest, start_engine: StartEngine, start_llamacpp: StartEngine
) -> StartEngine:
    """Starts engines of each kind that runs a model on this machine."""
    return {"embedded": start_engine, "llamacpp": start_llamacpp}[request.param]
