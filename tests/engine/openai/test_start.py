"""Servers at the URL, and elsewhere on the machine: told at start."""

from __future__ import annotations

import pytest
from engine.openai.conftest import Meet
from engine.openai.endpoints import Endpoint
from ports import free_port

from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.openai import engine as engine_module
from callsheet_server.engine.openai.probe import LOCAL_SERVERS, local_advice

NOBODY = "http://127.0.0.1:9/v1"


async def test_start_warns_that_nobody_answers_and_goes_on(
    meet: Meet, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def advice() -> str:
        return "LM Studio answers at http://127.0.0.1:1234/v1: set openai.url to that"

    monkeypatch.setattr(engine_module, "local_advice", advice)
    await meet(url=NOBODY)
    assert f"the endpoint cannot be reached at {NOBODY}; LM Studio answers at" in caplog.text
    with pytest.raises(EngineStartError, match=r"LM Studio answers at .*; check the URL"):
        await meet(url=NOBODY, model=None)


async def test_start_warns_of_a_model_that_is_not_listed(
    meet: Meet, caplog: pytest.LogCaptureFixture
) -> None:
    await meet(model="other")
    assert "openai.model: other is not listed by" in caplog.text


async def test_a_model_is_listed_with_the_tag_it_has_by_default(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from callsheet_server.engine.openai.engine import OpenAIEngine
    from callsheet_server.engine.openai.settings import OpenAISettings

    async with Endpoint(models=["qwen2.5:latest", "llama3"]) as endpoint:
        engine = OpenAIEngine(OpenAISettings(url=endpoint.url, model="qwen2.5"))
        await engine.start(lambda _: None)
        await engine.close()
        assert "is not listed" not in caplog.text
        with pytest.raises(EngineStartError, match=r"choose one; .* has: qwen2.5:latest, llama3"):
            await OpenAIEngine(OpenAISettings(url=endpoint.url)).start(lambda _: None)


async def test_local_servers_are_named_with_their_ports() -> None:
    assert LOCAL_SERVERS == {"Ollama": 11434, "LM Studio": 1234}
    async with Endpoint() as endpoint:
        away = free_port()
        assert await local_advice({"Ollama": away, "LM Studio": endpoint.port}) == (
            f"LM Studio answers at http://127.0.0.1:{endpoint.port}/v1: set openai.url to that"
        )
        assert await local_advice({"Ollama": away, "LM Studio": away}) == (
            f"neither Ollama (port {away}) nor LM Studio (port {away}) answers on this machine: "
            "start one, or set openai.url"
        )
