"""Fields of the request: as written, as set, as learned from refusals."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from engine.openai.conftest import Meet
from engine.openai.endpoints import OK, Answer, chunks, refuse

from callsheet_server.engine.engine import Sampling
from callsheet_server.engine.errors import GenerationError, RequestRefusedError
from callsheet_server.engine.openai.engine import OpenAIEngine

WARM = Sampling(temperature=0.7, top_p=0.9, seed=4)


def unless(field: str, refusal: str, **more: Any) -> Answer:
    """Refuse requests with that field."""

    def answer(body: dict[str, Any]) -> web.Response | bytes:
        return refuse(refusal, **more) if field in body else chunks("Aye, ", "come in.")

    return answer


REFUSALS = {
    "max_tokens": (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
        "'max_completion_tokens' instead.",
        "max_completion_tokens in place of max_tokens",
    ),
    "temperature": (
        "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default "
        "(1) value is supported.",
        "no temperature",
    ),
    "top_p": ("`temperature` and `top_p` cannot both be given", "no top_p"),
    "stream_options": (
        "Unrecognized request argument supplied: stream_options",
        "no stream_options",
    ),
    "seed": ('Invalid JSON payload received. Unknown name "seed": Cannot find field.', "no seed"),
}


@pytest.mark.parametrize("field", REFUSALS)
async def test_a_field_that_is_refused_is_sent_once(meet: Meet, field: str) -> None:
    refusal, learned = REFUSALS[field]
    endpoint, talk = await meet(unless(field, refusal))
    bram = talk.npc("bram")
    for _ in range(2):
        assert await talk.say(bram, sampling=WARM) == OK
    assert [field in request for request in endpoint.requests] == [True, False, False]
    assert isinstance(talk.engine, OpenAIEngine)
    assert talk.engine.fields.learned == learned


async def test_requests_that_are_refused_together_learn_once(
    meet: Meet, caplog: pytest.LogCaptureFixture
) -> None:
    _, talk = await meet(unless("seed", "unknown field: seed"))
    npcs = [talk.npc(f"n{number}") for number in range(5)]
    said = await asyncio.gather(*(talk.say(npc, sampling=WARM) for npc in npcs))
    assert said == [OK] * 5
    assert caplog.text.count("requests have no seed now") == 1


async def test_all_that_a_reasoning_model_refuses_is_learned_in_one_reply(meet: Meet) -> None:
    def o_series(body: dict[str, Any]) -> web.Response | bytes:
        for field in ("max_tokens", "temperature", "top_p"):
            if field in body:
                hint = " Use 'max_completion_tokens' instead." if field == "max_tokens" else ""
                return refuse(f"Unsupported.{hint}", param=field, code="unsupported_parameter")
        return chunks("Aye, ", "come in.")

    endpoint, talk = await meet(o_series)
    assert await talk.say(talk.npc("bram"), sampling=WARM) == OK
    assert endpoint.requests[-1]["max_completion_tokens"] == 24
    assert len(endpoint.requests) == 4


async def test_fields_of_a_validation_error_are_learned(meet: Meet) -> None:
    def mistral(body: dict[str, Any]) -> web.Response | bytes:
        if "seed" in body:
            error = {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs"}
            return web.json_response({"detail": [error]}, status=422)
        return chunks("Aye, ", "come in.")

    _, talk = await meet(mistral)
    assert await talk.say(talk.npc("bram"), sampling=WARM) == OK


async def test_a_refusal_that_names_nothing_of_ours_is_told(meet: Meet) -> None:
    endpoint, talk = await meet(lambda _: refuse("model_family must be given"))
    with pytest.raises(RequestRefusedError, match="model_family must be given"):
        await talk.say(talk.npc("bram"))
    assert len(endpoint.requests) == 1


async def test_fields_that_are_set_win_and_are_never_left_out(meet: Meet) -> None:
    extra = {
        "reasoning_effort": "low",
        "chat_template_kwargs": {"enable_thinking": False},
        "temperature": 1,
        "stream_options": None,
    }
    endpoint, talk = await meet(extra_body=extra)
    bram = talk.npc("bram")
    await talk.say(bram, sampling=WARM)
    (request,) = endpoint.requests
    assert request["reasoning_effort"] == "low"
    assert request["chat_template_kwargs"] == {"enable_thinking": False}
    assert request["temperature"] == 1
    assert "stream_options" not in request
    endpoint.answer = unless("temperature", "Unsupported value: 'temperature'")
    with pytest.raises(RequestRefusedError, match="temperature"):
        await talk.say(bram, sampling=WARM)


async def test_json_schemas_that_are_refused_are_not_asked_for_again(meet: Meet) -> None:
    endpoint, talk = await meet(unless("response_format", "response_format is unavailable now"))
    bram = talk.npc("bram")
    for _ in range(2):
        with pytest.raises(GenerationError, match=r"openai\.json_schema"):
            await talk.say(bram, json_schema={"type": "object"})
    assert len(endpoint.requests) == 1
    assert await talk.say(bram) == OK
