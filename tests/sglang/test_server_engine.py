"""The server with a real SGLang on CPU: launched, spoken through, killed, and back again."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson
import psutil
import pytest
from engine.harness import Talk

import callsheet
from callsheet import NpcSpec, PlayerSpec
from callsheet_residency.state import Tier
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.serving import start
from callsheet_server.app.settings import EngineSettings, Settings
from callsheet_server.engine.engine import Delta, Engine, GenerationEnd, Priority
from callsheet_server.engine.openai.engine import OpenAIEngine
from callsheet_server.engine.openai.settings import OpenAISettings
from callsheet_server.engine.sglang.engine import SglangEngine
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.transport.settings import ServerSettings
from callsheet_sglang.launch.interpreter import find_python
from callsheet_sglang.launch.spec import free_port

pytestmark = pytest.mark.sglang

START_S = 240.0
PERSONA = "A smith who has seen the war, and speaks of it to nobody. " * 6
LORE = "A small town by the sea, in the year after the war. " * 4
ACTION = {
    "type": "object",
    "properties": {"action": {"enum": ["forge", "wait"]}, "hours": {"enum": [1, 2]}},
    "required": ["action", "hours"],
    "additionalProperties": False,
}


T = TypeVar("T")


class Served:
    """A server in a thread, whose SGLang it has launched itself."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.sglang_port = free_port()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        sglang = SglangSettings(
            model=str(model),
            device="cpu",
            python=find_python("cpu"),
            port=self.sglang_port,
            pool_tokens=6000,
            host_ratio=2.0,
            arguments=("--max-running-requests", "2"),
            log_file=folder / "sglang.log",
        )
        settings = Settings(
            server=ServerSettings(port=0, drain_timeout_s=0.1),
            engine=EngineSettings(name="sglang"),
            sglang=sglang,
        )
        self.server: CallsheetServer = self.run(start(settings, lambda _: None))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(START_S)

    def close(self) -> None:
        self.run(self.server.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}"

    @property
    def sglang_url(self) -> str:
        return f"http://127.0.0.1:{self.sglang_port}"

    def sglang_process(self) -> psutil.Process:
        (found,) = (
            process
            for process in psutil.Process().children(recursive=True)
            if str(self.sglang_port) in process.cmdline() and "guard.py" not in process.cmdline()[2]
        )
        return found


@pytest.fixture(scope="module")
def served(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tiny_model, tmp_path_factory.mktemp("served"))
    yield served
    served.close()


@pytest.fixture
async def talk(served: Served) -> AsyncIterator[Talk]:
    """A second engine, attached to the server's SGLang without its plugin's knowledge."""
    async with attached(SglangEngine(SglangSettings(urls=(served.sglang_url,)))) as talk:
        yield talk


@asynccontextmanager
async def attached(engine: Engine) -> AsyncIterator[Talk]:
    await engine.start(lambda _: None)
    try:
        yield Talk(engine)
    finally:
        await engine.close()


async def until(condition: Any, timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.05)


async def test_text_streams_and_its_prefix_is_found_again(talk: Talk) -> None:
    engine = talk.engine
    assert "0.5.23" in engine.info.version
    assert engine.info.keeps_residency
    engine.set_world_prefix("w", LORE)
    mara = talk.npc("mara", PERSONA)
    async with aclosing(engine.submit(talk.request(mara, max_new_tokens=12))) as stream:
        items = [item async for item in stream]
    *deltas, end = items
    assert isinstance(end, GenerationEnd)
    assert len(deltas) > 1
    text = "".join(delta.text for delta in deltas if isinstance(delta, Delta))
    again, second = await talk.ask(mara, max_new_tokens=12)
    assert again == text
    assert second.tier_at_start is Tier.DEVICE
    assert second.cached_tokens >= second.prompt_tokens - 2
    prefixes = engine.prefixes
    assert prefixes is not None
    engine.publish("w", ("mara",), np.array([5.0], np.float32))
    await until(lambda: prefixes.tier(mara) is Tier.DEVICE)
    assert prefixes.size_bytes(mara) > 0
    await until(lambda: any(tier.used_bytes for tier in engine.occupancy().tiers))


async def test_an_action_is_json_of_the_schema(talk: Talk) -> None:
    text, end = await talk.ask(talk.npc("joe"), json_schema=ACTION, max_new_tokens=64)
    assert end.finish_reason == "stop"
    chosen = orjson.loads(text)
    assert chosen["action"] in ("forge", "wait")
    assert chosen["hours"] in (1, 2)


async def test_cancel_frees_sglang(talk: Talk) -> None:
    mara = talk.npc("mara")
    started_s = time.monotonic()
    request = talk.request(mara, max_new_tokens=1500, request_id="long")
    async with aclosing(talk.engine.submit(request)) as stream:
        assert isinstance(await anext(stream), Delta)
        assert talk.engine.cancel("long")
        end = await anext(stream)
    assert isinstance(end, GenerationEnd)
    assert end.finish_reason == "cancelled"
    # The places are free again: two more get theirs long before 1,500 tokens are through.
    await asyncio.gather(*(talk.ask(mara, max_new_tokens=2) for _ in range(2)))
    assert time.monotonic() - started_s < 60


async def test_a_player_overtakes_background_thoughts(talk: Talk) -> None:
    mara = talk.npc("mara")
    begun = asyncio.Event()
    ended: list[str] = []

    async def ask(name: str, max_new_tokens: int, priority: Priority) -> None:
        request = talk.request(mara, name, max_new_tokens=max_new_tokens, priority=priority)
        async with aclosing(talk.engine.submit(request)) as stream:
            async for _ in stream:
                begun.set()
        ended.append(name)

    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(ask(f"thought {number}", 200, Priority.BACKGROUND))
        await begun.wait()
        group.create_task(ask("player", 8, Priority.PLAYER))
    assert ended.index("player") <= 3, f"the player waited for the queue: {ended}"


async def test_the_openai_engine_speaks_through_the_same_sglang(served: Served) -> None:
    settings = OpenAISettings(url=f"{served.sglang_url}/v1")
    async with attached(OpenAIEngine(settings)) as talk:
        mara = talk.npc("mara", PERSONA)
        _, end = await talk.ask(mara, max_new_tokens=8)
        assert 0 < end.generated_tokens <= 8
        assert end.prompt_tokens > len(PERSONA)  # One token per byte.
        text = await talk.say(mara, json_schema=ACTION, max_new_tokens=64)
        assert orjson.loads(text)["action"] in ("forge", "wait")


async def test_a_killed_sglang_costs_replies_and_no_session(served: Served) -> None:
    """Last: what the others learnt of SGLang is gone after it."""
    async with callsheet.connect(served.url, role="game", world="town") as game:
        await game.configure_world(lore=LORE)
        npcs = [NpcSpec(npc=f"n{i}", name=f"N{i}", persona=f"{i}: {PERSONA}") for i in range(4)]
        handles = await game.spawn(npcs, [PlayerSpec(player="ann", name="Ann")])

        async def tick(game_time_s: float) -> None:
            await game.send_tick(
                game_time_s,
                list(handles.npcs.values()),
                [[float(10 * i), 0.0, 0.0] for i in range(4)],
                player_handles=list(handles.players.values()),
                player_positions_m=[[0.0, 0.0, 0.0]],
            )

        await tick(1.0)
        reply = await game.say("n0", "Good day.", speaker="ann")
        assert (await reply).text
        session = game.welcome.session
        sglang = served.sglang_process()
        dying = await game.say("n1", "Tell me all.", speaker="ann", max_tokens=1000)
        sglang.suspend()  # The reply cannot end before its SGLang does.
        sglang.kill()
        killed_s = time.monotonic()
        with pytest.raises(callsheet.CallsheetError) as lost:
            await dying
        assert lost.value.code == callsheet.ErrorCode.ENGINE_UNAVAILABLE
        assert time.monotonic() - killed_s < 10
        with pytest.raises(callsheet.CallsheetError) as refused:
            await (await game.say("n2", "Anybody?", speaker="ann"))
        assert refused.value.code == callsheet.ErrorCode.ENGINE_UNAVAILABLE
        prefixes = served.server.engine.prefixes
        assert prefixes is not None
        keys = [served.server.rooms["town"].key(f"n{i}") for i in range(4)]
        await until(lambda: {prefixes.tier(key) for key in keys} == {Tier.ABSENT})
        async with asyncio.timeout(START_S):
            second = 2.0
            while any(prefixes.tier(key) is not Tier.DEVICE for key in keys):
                await tick(second)  # Ticks go on; prefixes are there before anybody asks.
                await asyncio.sleep(0.5)
                second += 0.5
        reply = await game.say("n3", "You are back!", speaker="ann")
        end = await reply
        assert (end.tier, end.finish_reason in ("stop", "length")) == ("device", True)
        assert game.welcome.session == session
