"""The village in examples/, played on a display that is not there."""

from __future__ import annotations

import asyncio
import importlib.util
import time
from collections import defaultdict
from types import ModuleType

import pytest
from sdk.conftest import ROOT

import callsheet
from callsheet.frames import FrameClient

pygame = pytest.importorskip("pygame", reason="pygame: pip install pygame-ce")
MOST_CPU_S = 0.002
"""Of a frame, at the 99th percentile, that the client may take."""
MOST_LINES = 80


@pytest.fixture
def village(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    path = ROOT / "examples" / "pygame_village.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) < MOST_LINES
    spec = importlib.util.spec_from_file_location("pygame_village", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_somebody_walks_and_talks_and_no_frame_is_late(
    url: str,
    village: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    took_s: list[float] = []
    frame = FrameClient.frame

    def timed(client: FrameClient) -> None:
        began_s = time.thread_time()
        frame(client)
        took_s.append(time.thread_time() - began_s)

    pressed: defaultdict[int, bool] = defaultdict(bool)
    monkeypatch.setattr(FrameClient, "frame", timed)
    monkeypatch.setattr(pygame.key, "get_pressed", lambda: pressed)
    async with callsheet.connect(url, role="observer", world="village") as watcher:
        ends: asyncio.Queue[callsheet.ReplyEnd] = asyncio.Queue()
        places: asyncio.Queue[callsheet.NpcStates] = asyncio.Queue()
        watcher.on(ends.put_nowait, callsheet.ReplyEnd)
        watcher.on(places.put_nowait, callsheet.NpcStates)
        await watcher.subscribe("replies", "npcs", interval_s=0.05)
        playing = asyncio.create_task(asyncio.to_thread(village.main, url))
        while not (states := await places.get()).players:
            pass
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_SPACE))
        end = await ends.get()
        assert (end.npc, end.finish_reason) == ("odila", "stop")
        started = states.players[0].position
        pressed[pygame.K_RIGHT] = True
        while (await places.get()).players[0].position[0] <= started[0]:
            pass
        while len(took_s) < 200:  # noqa: ASYNC110 - frames have no event
            await asyncio.sleep(0.05)
        pygame.event.post(pygame.event.Event(pygame.QUIT))
        await playing
    printed = capsys.readouterr().out
    slow_s = sorted(took_s)[int(0.99 * len(took_s))]
    assert "game.frame() took" in printed
    assert slow_s < MOST_CPU_S, f"{slow_s * 1_000:.2f} ms of CPU at the 99th percentile"
