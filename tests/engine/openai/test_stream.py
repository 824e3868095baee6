"""Replies as endpoints really stream them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import orjson
import pytest
from aiohttp import web
from engine.openai.conftest import Meet
from engine.openai.endpoints import OK, chunk, chunks, refuse, stream, words

from callsheet_server.engine.engine import Delta
from callsheet_server.engine.errors import (
    EngineError,
    EngineOverloadedError,
    EngineUnavailableError,
    GenerationError,
    QuotaExhaustedError,
    in_full,
)

AYE = words("Aye, ", "come in.")
STOP = chunk(finish="stop")
LOGPROBS = {"content": [{"token": "Aye", "bytes": [1] * 100_000}]}


def with_choice(event: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"choices": [{**event["choices"][0], **fields}]}


def split(whole: bytes, size: int) -> Sequence[bytes]:
    return [whole[at : at + size] for at in range(0, len(whole), size)]


GOOD: dict[str, bytes | Sequence[bytes]] = {
    "carriage returns": chunks("Aye, ", "come in.").replace(b"\n", b"\r\n"),
    "comments": b": PROCESSING\n\n" * 3 + chunks("Aye, ", "come in."),
    "no space behind the colon": chunks("Aye, ", "come in.").replace(b"data: ", b"data:"),
    "no empty lines": chunks("Aye, ", "come in.").replace(b"\n\n", b"\n"),
    "byte by byte": split(chunks("Aye, ", "come in."), 1),
    "no choices at first": stream({"choices": []}, *AYE, STOP),
    "null choices with the usage": stream(*AYE, STOP, {"choices": None, "usage": None}),
    "a choice without delta": stream(*AYE, {"choices": [{"index": 0}]}, STOP),
    "no [DONE]": stream(*AYE, STOP, done=False),
    "no line end at the end": stream(*AYE, STOP, done=False).rstrip(),
    "[DONE] without finish_reason": stream(*AYE),
    "empty finish_reason": stream(*(with_choice(e, finish_reason="") for e in AYE), STOP),
    "one event on two lines": b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"Aye, come '
    b'in."},"finish_reason":null}]}\n\n' + stream(STOP),
    "null as heartbeat": b"data: null\n\n" + chunks("Aye, ", "come in."),
    "a ping event": b'event: ping\ndata: {"type": "ping"}\n\n' + chunks("Aye, ", "come in."),
    "a line of 200 kB": stream(with_choice(AYE[0], logprobs=LOGPROBS), AYE[1], STOP),
    "a second choice": stream(AYE[0], with_choice(chunk("Go!"), index=1), AYE[1], STOP),
    "reasoning apart": stream(chunk(reasoning_content="Hm. "), chunk(reasoning="Hm."), *AYE, STOP),
    "content in parts": stream(
        chunk([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]),
        chunk([{"type": "text", "text": OK}]),
        STOP,
    ),
    "a tool call beside the words": stream(*AYE, chunk(tool_calls=[{}]), chunk(finish="stop")),
}


@pytest.mark.parametrize("answer", GOOD.values(), ids=GOOD)
async def test_the_words_are_read(meet: Meet, answer: bytes | Sequence[bytes]) -> None:
    _, talk = await meet(lambda _: answer)
    assert await talk.say(talk.npc("bram")) == OK


async def test_a_json_body_in_place_of_a_stream_is_read(meet: Meet) -> None:
    message = {"role": "assistant", "content": OK}
    usage = {"prompt_tokens": 3, "completion_tokens": 4.0, "prompt_tokens_details": None}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "length"}]}
    _, talk = await meet(lambda _: web.json_response({**body, "usage": usage}))
    text, end = await talk.ask(talk.npc("bram"))
    assert (text, end.finish_reason, end.generated_tokens) == (OK, "length", 4)


async def test_letters_survive_a_split_between_their_bytes(meet: Meet) -> None:
    def castle(_: dict[str, Any]) -> Sequence[bytes]:
        event = {"choices": [{"index": 0, "delta": {"content": "Él 🏰"}}]}
        return split(b"data: " + orjson.dumps(event) + b"\n\n" + stream(STOP), 3)

    _, talk = await meet(castle)
    assert await talk.say(talk.npc("bram")) == "Él 🏰"


THOUGHTS = [chunk(reasoning_content="Let me think. ") for _ in range(24)]
USAGE = {"usage": {"completion_tokens_details": {"reasoning_tokens": 24}}}
EMPTY: dict[str, tuple[bytes, str]] = {
    "thoughts eat all": (
        stream(*THOUGHTS, chunk(finish="length")),
        "all 24 tokens went to reasoning: raise reply.max_tokens or turn thinking off",
    ),
    "hidden thoughts eat all": (
        stream(chunk("", finish="length"), USAGE),
        "all 24 tokens went to reasoning: raise reply.max_tokens or turn thinking off",
    ),
    "nothing but a length": (stream(chunk(finish="length")), "all 24 tokens went without a word"),
    "thoughts and no words": (stream(*THOUGHTS[:3], STOP), "reasoned and said nothing"),
    "nothing": (stream(STOP), "the reply is empty"),
    "white space": (stream(*words("\n", " \n"), STOP), "the reply is empty"),
    "a tool call": (
        stream(chunk(tool_calls=[{"function": {"name": "f"}}]), chunk(finish="tool_calls")),
        "called a tool",
    ),
    "a refusal": (stream(chunk(refusal="I cannot."), STOP), "refuses to answer: I cannot."),
    "a content filter": (stream(chunk(finish="content_filter")), "content filter"),
    "a filter in the midst": (stream(AYE[0], chunk(finish="content_filter")), "content filter"),
    "a failure in the midst": (stream(AYE[0], chunk(finish="error")), "broke the reply off"),
    "no end": (stream(AYE[0], done=False), "without saying why"),
    "no completion": (stream({"choices": ["Aye"]}), "no chat completion"),
    "no JSON": (b"data: Aye\n\n", "no JSON"),
    "an event without an end": (b"data: " + b"x" * (5 << 20), "more than 4 MiB"),
}


@pytest.mark.parametrize(("answer", "why"), EMPTY.values(), ids=EMPTY)
async def test_a_reply_of_nothing_says_why(meet: Meet, answer: bytes, why: str) -> None:
    _, talk = await meet(lambda _: answer)
    with pytest.raises(GenerationError, match=re.escape(why)):
        await talk.say(talk.npc("bram"))


async def test_thoughts_are_never_spoken(meet: Meet) -> None:
    _, talk = await meet(lambda _: stream(*THOUGHTS, chunk(finish="length")))
    async with aclosing(talk.engine.submit(talk.request(talk.npc("bram")))) as items:
        with pytest.raises(GenerationError):
            assert not [item async for item in items if isinstance(item, Delta)]


QUOTA = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("answer", "error", "match", "retry_after_s"),
    [
        (
            lambda: refuse(QUOTA, 429, type="insufficient_quota", code="insufficient_quota"),
            QuotaExhaustedError,
            "quota or credit of its account is used up: You exceeded",
            None,
        ),
        (lambda: refuse("Insufficient Balance", 402), QuotaExhaustedError, "used up", None),
        (
            lambda: refuse("Your credit balance is too low", 400),
            QuotaExhaustedError,
            "credit balance",
            None,
        ),
        (
            lambda: refuse("Rate limit reached for m", 429, {"Retry-After": "20"}),
            EngineOverloadedError,
            "limits the rate of requests: Rate limit",
            20.0,
        ),
        (
            lambda: refuse(QUOTA, 429, {"Retry-After": "7"}),
            EngineOverloadedError,
            "limits the rate",
            7.0,
        ),
        (
            lambda: refuse("Slow down", 429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
            EngineOverloadedError,
            "Slow down",
            0.0,
        ),
        (
            lambda: refuse("Loading model", 503),
            EngineOverloadedError,
            "overloaded or loading: Loading model",
            1.0,
        ),
        (
            lambda: refuse('model "m" not found, try pulling it first', 404),
            GenerationError,
            "try pulling it first",
            None,
        ),
        (
            lambda: web.Response(status=404, text="<h1>404</h1>", content_type="text/html"),
            GenerationError,
            "a web page; is the URL right",
            None,
        ),
        (
            lambda: web.Response(text="<html>Sign in</html>", content_type="text/html"),
            GenerationError,
            "a web page; is its URL right",
            None,
        ),
        (
            lambda: refuse("Incorrect API key", 200, code="invalid_api_key"),
            EngineUnavailableError,
            "refuses the API key",
            None,
        ),
        (lambda: web.json_response([1]), GenerationError, "no JSON object", None),
        (
            lambda: stream(AYE[0], {"error": "CUDA error: out of memory"}),
            GenerationError,
            "CUDA error: out of memory",
            None,
        ),
        (
            lambda: stream({"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}),
            EngineOverloadedError,
            "Slow down",
            1.0,
        ),
    ],
)
async def test_a_failure_is_told_as_what_it_is(
    meet: Meet, answer: Any, error: type[EngineError], match: str, retry_after_s: float | None
) -> None:
    _, talk = await meet(lambda _: answer())
    with pytest.raises(error, match=match) as failed:
        await talk.say(talk.npc("bram"))
    assert getattr(failed.value, "retry_after_s", None) == retry_after_s


@pytest.mark.parametrize("in_stream", [False, True])
async def test_secrets_and_internals_stay_out_of_what_is_told(meet: Meet, in_stream: bool) -> None:
    said = (
        "worker org-a1b2c3d4 at http://10.0.0.7:8000/x with key hunter2 and sk-proj-abc123 failed "
        'in /srv/models/m/run.py\nTraceback: File "/srv/run.py", line 3'
    )
    error = {"message": said, "code": 500}
    _, talk = await meet(
        lambda _: stream({"error": error}) if in_stream else refuse(said, 500), api_key="hunter2"
    )
    with pytest.raises(GenerationError, match=r"worker .hidden. at .hidden. with key") as failed:
        await talk.say(talk.npc("bram"))
    told = str(failed.value)
    for secret in ("org-a1", "10.0.0.7", "hunter2", "sk-proj", "/srv", "Traceback"):
        assert secret not in told
    logged = in_full(failed.value)
    assert "Traceback" in logged
    assert "hunter2" not in logged
