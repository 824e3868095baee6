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

from callsheet_server.engine.embedded.engine import EmbeddedEngine
from callsheet_server.engine.embedded.settings import EmbeddedSettings, EmbeddedTuning

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
