from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from engine.fakes import Fake
from engine.harness import Talk
from ports import free_port

from callsheet_server.engine.sglang.engine import SglangEngine
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.engine.sglang.timing import Timing

FAKE = Path(__file__).parent.parent / "fake_sglang.py"
TIMES = {field.name for field in fields(Timing)}

StartSglang = Callable[..., Awaitable[tuple[Talk, Fake]]]
FakePython = Callable[..., Path]


@pytest.fixture
def fake_python(tmp_path: Path) -> FakePython:
    """``fake_python("--start-s", "1")``: an interpreter whose sglang.launch_server is the fake."""

    def make(*arguments: str) -> Path:
        path = tmp_path / "fake-python"
        words = " ".join([sys.executable, str(FAKE), *arguments])
        path.write_text(f'#!/bin/sh\nPYTHONPATH={os.pathsep.join(sys.path)} exec {words} "$@"\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


@pytest.fixture
async def start_sglang(
    tiny_model: Path, tmp_path: Path, fake_python: FakePython
) -> AsyncIterator[StartSglang]:
    """Starts engines with a fake SGLang each; all are closed at the end."""
    engines: list[SglangEngine] = []

    async def start(*, fake_arguments: tuple[str, ...] = (), **settings: Any) -> tuple[Talk, Fake]:
        defaults: dict[str, Any] = {
            "model": str(tiny_model),
            "device": "cpu",
            "python": fake_python(*fake_arguments),
            "port": (port := free_port()),
            "log_file": tmp_path / "sglang.log",
            "health_interval_s": 0.2,
            "health_timeout_s": 60.0,
            "residency_interval_s": 0.05,
            "distance_interval_s": 0.02,
            "restart_min_s": 0.05,
            "stop_timeout_s": 1.0,
            "warm_horizon_s": 0.0,
        }
        chosen = {**defaults, **settings}
        timing = {name: chosen.pop(name) for name in TIMES & chosen.keys()}
        engine = SglangEngine(SglangSettings(**chosen), Timing(**timing))
        engines.append(engine)
        await engine.start(lambda _: None)
        return Talk(engine), Fake(f"http://127.0.0.1:{port}")

    async with contextlib.AsyncExitStack() as stack:
        yield start
        for engine in engines:
            stack.push_async_callback(engine.close)
    for engine in engines:
        engine.check_integrity()
