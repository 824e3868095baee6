"""Why a reply failed: once in the log, in full; to the client in words it may see."""

from __future__ import annotations

import logging

import pytest
from aiohttp import web
from engine.openai.endpoints import OK, Answer, Endpoint, chunk, chunks, refuse, stream
from server.client import Client
from server.conftest import StartServer

from callsheet.wire import Error, ErrorCode
from callsheet_server.engine.openai.engine import OpenAIEngine
from callsheet_server.engine.openai.settings import OpenAISettings

SAID = "CUDA error: out of memory at http://10.0.0.7:8000 with key hunter2"
SHOWN = "CUDA error: out of memory at (hidden) with key (key)"


def engine_for(endpoint: Endpoint) -> OpenAIEngine:
    settings = {"url": endpoint.url, "model": "m", "api_key": "hunter2"}
    return OpenAIEngine(OpenAISettings.model_validate(settings))


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and "CUDA" in record.getMessage()
    ]


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: stream(chunk("Aye. We"), {"error": {"message": SAID, "code": 500}}),
        lambda _: refuse(SAID, 500),
    ],
    ids=["in the midst", "before the first word"],
)
async def test_a_failure_is_logged_once_and_told(
    start_server: StartServer, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    answers = iter([lambda _: chunks(OK)])
    async with Endpoint(lambda body: next(answers, answer)(body)) as endpoint:
        server = await start_server(engine_for(endpoint))
        async with Client(server.port) as game:
            await game.spawn("bob")
            # Until one reply has ended nobody knows whether this model begins with a thought.
            await game.reply(await game.say("bob"))
            asked = await game.say("bob")
            if isinstance(answer({}), web.Response):
                error = await game.get(Error, id=asked)
                code, message = error.code, error.message
            else:
                end = await game.reply(asked)
                assert end.text.strip() == "Aye."
                assert end.message is not None
                code, message = ErrorCode(end.code or ""), end.message
        assert code == ErrorCode.GENERATION_FAILED
        assert message == f"the endpoint answers status 500: {SHOWN}"
        (logged,) = failures(caplog)
        assert "http://10.0.0.7:8000" in logged
        assert "hunter2" not in caplog.text


async def test_a_quota_that_is_used_up_is_not_worth_a_retry(start_server: StartServer) -> None:
    async with Endpoint(lambda _: refuse("Insufficient Balance", 402)) as endpoint:
        server = await start_server(engine_for(endpoint))
        async with Client(server.port) as game:
            await game.spawn("bob")
            error = await game.get(Error, id=await game.say("bob"))
            assert error.code == ErrorCode.ENGINE_UNAVAILABLE
            assert "quota or credit" in error.message
            assert error.retry_after_s is None
