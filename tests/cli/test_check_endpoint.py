"""The doctor asks an endpoint for its models and one token."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from engine.openai.endpoints import Answer, Endpoint, chunk, chunks, refuse, stream

from callsheet_cli import main
from callsheet_cli.check_endpoint import check_endpoint
from callsheet_cli.checks import Finding
from callsheet_server.engine.openai.settings import OpenAISettings

NOBODY = "http://127.0.0.1:9/v1"


async def examined(answer: Answer | None = None, **settings: Any) -> list[Finding]:
    """Have an endpoint examined, by a thread of its own as the doctor is one."""
    async with Endpoint(answer, models=settings.pop("models", ["m"])) as endpoint:
        given = OpenAISettings(**{"url": endpoint.url, **settings})
        return await asyncio.to_thread(lambda: list(check_endpoint(given)))


async def test_an_endpoint_that_works_is_fine() -> None:
    models, token = await examined()
    assert (models.check, models.status) == ("endpoint", "ok")
    assert models.detail.endswith(" lists: m")
    assert (token.check, token.status) == ("token", "ok")
    assert token.detail.startswith("m answered in ")


async def test_what_was_learned_is_told() -> None:
    def answer(body: dict[str, Any]) -> web.Response | bytes:
        if "stream_options" in body:
            return refuse("Unrecognized request argument supplied: stream_options")
        return chunks("A")

    _, token = await examined(answer)
    assert token.detail.endswith("; learned: no stream_options")


async def test_a_model_that_thinks_is_a_warning() -> None:
    answer = stream(chunk(reasoning_content="Hm"), chunk(finish="length"))
    _, token = await examined(lambda _: answer)
    assert token.status == "warn"
    assert "all 1 tokens went to reasoning" in token.detail


async def test_a_model_that_is_not_listed_is_named() -> None:
    models, token = await examined(lambda _: refuse("no such model", 404), model="other")
    assert (models.status, token.status) == ("warn", "fail")
    assert "other is not listed" in models.detail
    assert "no such model" in token.detail


async def test_one_of_several_models_must_be_chosen() -> None:
    (models,) = await examined(models=["a", "b"])
    assert (models.status, models.fix) == ("fail", "choose one: --model NAME")
    assert models.detail.endswith(" lists: a, b")


def test_nobody_at_the_url_fails_with_who_else_there_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["doctor", "--json", "--port", "0", "--engine", "openai", "--url", NOBODY]
    assert main(command) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    (finding,) = [finding for finding in findings if finding["check"] == "endpoint"]
    assert "cannot be reached" in finding["detail"]
    assert "Ollama" in finding["fix"]
    assert "LM Studio" in finding["fix"] or "answers at" in finding["fix"]
