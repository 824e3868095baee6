"""Clusters of fake SGLang processes that can be killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from engine.fakes import Fake
from engine.harness import Talk
from ports import free_port
from waiting import until

from callsheet_server.engine.cluster.engine import ClusterEngine
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.engine.sglang.timing import Timing

FAKE = Path(__file__).parent.parent / "fake_sglang.py"
TIMES = {field.name for field in fields(Timing)}


class Box:
    """A machine with a fake SGLang."""

    def __init__(self, model: Path) -> None:
        self._model = model
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"http://127.0.0.1:{self._port}"
        self.name = f"127.0.0.1:{self._port}"
        self.fake = Fake(self.url)

    async def start(self) -> Fake:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, FAKE, "--port", str(self._port), "--model-path", str(self._model),
            env={"PYTHONPATH": ":".join(sys.path)}, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

        def is_up() -> bool:
            try:
                return bool(self.fake.seen()["pid"])
            except OSError:
                return False

        await until(is_up)
        return self.fake

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Cluster:
    """An engine over boxes."""

    def __init__(self, engine: ClusterEngine, boxes: list[Box]) -> None:
        self.engine = engine
        self.talk = Talk(engine)
        self.boxes = boxes

    def box_of(self, key: Any) -> Box:
        home = self.engine._homes.of(key)
        assert home is not None
        return self.boxes[home]

    def loads(self) -> dict[str, Any]:
        return {load.name: load for load in self.engine.occupancy().replicas}

    async def npc_at(self, box: Box, start: int = 0) -> Any:
        """An NPC whose home is that box."""
        for number in range(start, start + 100):
            key = self.talk.npc(f"seeker {number}")
            if self.box_of(key) is box:
                return key
            self.engine.forget_npc(key)
        raise AssertionError("nobody lives there")


StartBoxes = Callable[[int], Awaitable[list[Box]]]
StartCluster = Callable[..., Awaitable[Cluster]]


@pytest.fixture
async def start_boxes(tiny_model: Path) -> AsyncIterator[StartBoxes]:
    boxes: list[Box] = []

    async def start(count: int) -> list[Box]:
        new = [Box(tiny_model) for _ in range(count)]
        boxes.extend(new)
        await asyncio.gather(*(box.start() for box in new))
        return new

    yield start
    await asyncio.gather(*(box.kill() for box in boxes))


def engine_of(boxes: list[Box], **settings: Any) -> ClusterEngine:
    defaults: dict[str, Any] = {
        "urls": tuple(box.url for box in boxes),
        "health_interval_s": 0.2,
        "health_timeout_s": 60.0,
        "residency_interval_s": 0.05,
        "distance_interval_s": 0.02,
        "restart_min_s": 0.05,
        "warm_horizon_s": 0.0,
    }
    chosen = {**defaults, **settings}
    timing = {name: chosen.pop(name) for name in TIMES & chosen.keys()}
    return ClusterEngine(SglangSettings(**chosen), Timing(**timing))


@pytest.fixture
async def start_cluster(start_boxes: StartBoxes) -> AsyncIterator[StartCluster]:
    """Starts clusters of so many fakes; all are closed at the end."""
    engines: list[ClusterEngine] = []

    async def start(count: int = 3, **settings: Any) -> Cluster:
        boxes = await start_boxes(count)
        engine = engine_of(boxes, **settings)
        engines.append(engine)
        await engine.start(lambda _: None)
        return Cluster(engine, boxes)

    async with contextlib.AsyncExitStack() as stack:
        yield start
        for engine in engines:
            stack.push_async_callback(engine.close)
    for engine in engines:
        engine.check_integrity()
