"""The engine against a process that speaks the OpenAI protocol over real sockets."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from engine.fakes import Fake
from engine.harness import Talk
from ports import free_port
from programs import program
from waiting import until

from callsheet_residency.state import Tier
from callsheet_server.engine import http
from callsheet_server.engine.engine import Delta, Engine, GenerationEnd, Sampling
from callsheet_server.engine.errors import (
    ContextTooLongError,
    EngineError,
    EngineOverloadedError,
    EngineStartError,
    EngineUnavailableError,
    GenerationError,
    UnknownAdapterError,
    UnknownNpcError,
)
from callsheet_server.engine.http_errors import error_for_status
from callsheet_server.engine.openai.engine import OpenAIEngine
from callsheet_server.engine.openai.settings import OpenAISettings
from callsheet_server.world.memory import Turn

FAKE = Path(__file__).parent.parent / "fake_sglang.py"
TEXT = "well met, stranger. What brings you here? Sit down. "

StartOpenAI = Callable[..., Awaitable[Talk]]


@pytest.fixture
async def fake() -> AsyncIterator[Fake]:
    port = free_port()
    fake = Fake(f"http://127.0.0.1:{port}")

    def up() -> bool:
        try:
            return bool(fake.seen())
        except OSError:
            return False

    async with program(
        *(str(FAKE), "--port", str(port), "--model-path", "m", "--api-key", "key"),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.DEVNULL,
    ):
        await until(up)
        yield fake


@pytest.fixture
async def start(fake: Fake) -> AsyncIterator[StartOpenAI]:
    engines: list[OpenAIEngine] = []

    async def make(**settings: Any) -> Talk:
        settings = {"url": f"{fake.url}/v1", "api_key": "key", **settings}
        engine = OpenAIEngine(OpenAISettings(**settings))
        engines.append(engine)
        await engine.start(lambda _: None)
        return Talk(engine)

    async with AsyncExitStack() as stack:
        yield make
        for engine in engines:
            stack.push_async_callback(engine.close)
            stack.push_async_callback(engine.close)
        for engine in engines:
            engine.check_integrity()


async def test_it_streams_what_the_endpoint_says(
    start: StartOpenAI, fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    talk = await start()
    engine: Engine = talk.engine
    assert (engine.info.name, engine.info.model) == ("openai", "fake")
    assert not engine.info.keeps_residency
    assert "distances are not used" in caplog.text
    assert (engine.stores, engine.prefixes, engine.take_moves()) == ((), None, ())
    engine.set_world_prefix("w", "A town by the sea.")
    mara = talk.npc("mara")
    engine.publish("w", ("mara",), np.array([1.0], np.float32))
    text, end = await talk.ask(mara, sampling=Sampling(temperature=0.5, top_p=0.9, seed=4))
    assert (text, end.finish_reason, end.tier_at_start) == (TEXT, "stop", Tier.ABSENT)
    assert (end.prompt_tokens, end.generated_tokens) == (20, 9)
    (request,) = fake.seen()["requests"]
    assert request["messages"] == [
        {
            "role": "system",
            "content": "A town by the sea.\n\nYou are mara. A baker who rises before the sun.",
        },
        {"role": "user", "content": "Anna: Hello?"},
    ]
    assert (request["temperature"], request["top_p"], request["seed"]) == (0.5, 0.9, 4)
    assert (request["model"], request["max_tokens"]) == ("fake", 24)
    assert engine.occupancy().running == engine.occupancy().queued == 0


async def test_it_cuts_at_length_and_at_stop_strings(start: StartOpenAI) -> None:
    talk = await start()
    mara = talk.npc("mara")
    cut, end = await talk.ask(mara, max_new_tokens=2)
    assert (cut, end.finish_reason) == ("well met, ", "length")
    cut, end = await talk.ask(mara, stop=("stranger. What",))
    assert (cut, end.finish_reason) == ("well met, ", "stop")


async def test_a_schema_is_asked_for_where_the_endpoint_knows_them(
    start: StartOpenAI, fake: Fake
) -> None:
    talk = await start()
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    assert orjson.loads(await talk.say(talk.npc("mara"), json_schema=schema)) == {"n": 1}
    asked = fake.seen()["requests"][-1]["response_format"]
    assert (asked["type"], asked["json_schema"]["schema"]) == ("json_schema", schema)
    without = await start(json_schema=False)
    with pytest.raises(GenerationError, match=r"openai\.json_schema"):
        await without.say(without.npc("mara"), json_schema=schema)


async def test_the_oldest_turns_are_left_out_until_it_fits(start: StartOpenAI, fake: Fake) -> None:
    talk = await start(context_limit_tokens=200)
    mara = talk.npc("mara")
    turns = tuple(Turn("Anna", f"turn {number} " + "x" * 150) for number in range(3))
    await talk.say(mara, turns)
    (message,) = fake.seen()["requests"][-1]["messages"][1:]
    assert [line[:12] for line in message["content"].split("\n")] == [
        "Anna: turn 1",
        "Anna: turn 2",
    ]
    with pytest.raises(ContextTooLongError, match="limit is 200"):
        await talk.say(mara, "x" * 1000)


async def test_cancel_closes_the_stream(start: StartOpenAI, fake: Fake) -> None:
    talk = await start()
    fake.behave(first_token_s=0.0, token_s=60.0)
    request = talk.request(talk.npc("mara"))
    async with aclosing(talk.engine.submit(request)) as stream:
        assert isinstance(await anext(stream), Delta)
        assert talk.engine.cancel(request.request_id)
        end = await anext(stream)
    assert isinstance(end, GenerationEnd)
    assert end.finish_reason == "cancelled"
    await until(lambda: fake.seen()["running"] == 0)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, GenerationError),
        (401, EngineUnavailableError),
        (404, GenerationError),
        (429, EngineOverloadedError),
        (500, GenerationError),
        (503, EngineOverloadedError),
        (504, EngineUnavailableError),
    ],
)
async def test_a_failure_of_the_endpoint_is_one_of_ours(
    start: StartOpenAI,
    fake: Fake,
    status: int,
    error: type[EngineError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "LOADING_PATIENCE_S", 1.0)
    talk = await start()
    fake.behave(generate_status=status)
    mara = talk.npc("mara")
    with pytest.raises(error) as failed:
        await talk.say(mara)
    if isinstance(failed.value, EngineOverloadedError):
        assert failed.value.retry_after_s == 7.0
    fake.behave(generate_status=200)
    assert await talk.say(mara) == TEXT


async def test_an_endpoint_that_loads_its_model_is_waited_for(
    start: StartOpenAI, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LOADING_POLL_S", 0.05)
    judged: list[int] = []

    def soon(name: str, status: int, said: bytes, retry_after: str | None) -> EngineError:
        judged.append(status)
        return error_for_status(name, status, said, retry_after and "0")

    monkeypatch.setattr(http, "error_for_status", soon)
    talk = await start()
    fake.behave(generate_status=503)
    asked = asyncio.create_task(talk.say(talk.npc("mara")))
    await until(lambda: len(judged) >= 3)
    assert not asked.done()
    fake.behave(generate_status=200)
    assert await asked == TEXT


async def test_an_endpoint_that_dies_fails_the_request_at_once(
    start: StartOpenAI, fake: Fake
) -> None:
    talk = await start()
    fake.behave(token_s=60.0)
    mara = talk.npc("mara")
    asked = asyncio.create_task(talk.say(mara))
    await until(lambda: fake.seen()["running"] == 1)
    with pytest.raises(OSError, match="closed"):
        fake.behave(crash=True)
    with pytest.raises(EngineUnavailableError):
        await asked
    with pytest.raises(EngineUnavailableError, match=r"cannot be reached|was lost"):
        await talk.say(mara)


async def test_start_names_what_is_wrong(start: StartOpenAI) -> None:
    with pytest.raises(EngineStartError, match=r"openai\.api_key"):
        await start(api_key="wrong")
    with pytest.raises(EngineStartError, match="check the URL"):
        await start(url="http://127.0.0.1:9/v1")
    assert (await start(url="http://127.0.0.1:9/v1", model="m")).engine.info.model == "m"


async def test_npcs_must_be_announced_and_have_no_adapters(start: StartOpenAI) -> None:
    talk = await start()
    with pytest.raises(UnknownAdapterError, match="has none"):
        talk.npc("joe", adapter="smith")
    mara = talk.npc("mara")
    talk.engine.forget_npc(mara)
    with pytest.raises(UnknownNpcError):
        await talk.say(mara)
