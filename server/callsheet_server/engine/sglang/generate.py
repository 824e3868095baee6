"""One request in SGLang's terms, and its answer in ours."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from callsheet_residency.state import Tier
from callsheet_server.engine.calls import Call
from callsheet_server.engine.engine import Delta, GenerationEnd, Sampling, StopReason
from callsheet_server.engine.errors import EngineError, EngineUnavailableError
from callsheet_server.engine.http_errors import error_for_event
from callsheet_server.engine.sglang.peer import WARM_PRIORITY, Peer
from callsheet_server.engine.sse import DONE
from callsheet_sglang.wire import session_id

__all__ = ["Prompt", "abort", "generate", "warm"]

GENERATE: Final = "/generate"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as sent, and the NPC it is of."""

    rid: str
    """Must not be the beginning of another one's: SGLang aborts all that begin with it."""
    handle: int
    tokens: Sequence[int]
    prefix_tokens: int
    """As many of them are the NPC's prefix."""
    adapter: str | None
    sender: int = 0
    """Number of this server there."""


async def generate(peer: Peer, prompt: Prompt, call: Call) -> AsyncGenerator[Delta | GenerationEnd]:
    """Stream the answer; ends with ``GenerationEnd``, also when ``call`` is cancelled.

    Left early, the request goes on at SGLang: ``abort`` it.

    Raises:
        EngineError: as ``engine/http_errors.py`` maps it.
    """
    body = _body(peer, prompt) | {
        "stream": True,
        "sampling_params": _sampling(call.request.sampling)
        | {"max_new_tokens": call.request.max_new_tokens, "no_stop_trim": True},
    }
    if call.request.stop:
        body["sampling_params"]["stop"] = list(call.request.stop)
    if call.request.json_schema is not None:
        schema = orjson.dumps(dict(call.request.json_schema)).decode()
        body["sampling_params"]["json_schema"] = schema
    if (priority := peer.priority(int(call.request.priority))) is not None:
        body["priority"] = priority
    heard_chars = heard_tokens = 0
    meta: dict[str, Any] = {}
    reason: StopReason | None = None
    stream = peer.server.stream(
        GENERATE, body, call.request.gather_s, latest_only=not peer.sends_deltas
    )
    async with call.reading(stream) as batches:
        async for events in batches:
            if events[-1] is DONE:
                break
            told: list[str] = []
            failure: EngineError | None = None
            for event in events:
                try:
                    meta, reason = _outcome(event)
                except EngineError as error:
                    failure = error
                    break
                told.append(event["text"])
            if told:
                call.heard()
                piece = "".join(told) if peer.sends_deltas else told[-1][heard_chars:]
                heard_chars += len(piece)
                tokens = int(meta.get("completion_tokens", 0)) - heard_tokens
                heard_tokens += tokens
                if certain := call.text.push(piece):
                    yield Delta(certain, tokens=tokens)
            if failure is not None:
                raise failure
            if call.text.stopped:
                break
    if reason is None and not call.text.stopped and not call.cancelled:
        raise EngineUnavailableError("SGLang ended the reply without saying why")
    if not call.cancelled and (rest := call.text.flush()):
        yield Delta(rest)
    yield _end(peer, prompt, call, meta, "stop" if call.text.stopped else reason or "stop")


async def warm(peer: Peer, prompt: Prompt) -> None:
    """Have SGLang compute a prefix and keep it, after everything else it has to do.

    Raises:
        EngineError: as ``engine/http_errors.py`` maps it.
    """
    body = _body(peer, prompt) | {"sampling_params": {"max_new_tokens": 1, "temperature": 0.0}}
    if (priority := peer.priority(WARM_PRIORITY)) is not None:
        body["priority"] = priority
    await peer.server.post(GENERATE, json=body)


async def abort(peer: Peer, rid: str) -> None:
    """Tell SGLang that nobody waits for a request any more.

    If it does not hear that, it notices after some seconds that the connection was closed.
    """
    with contextlib.suppress(EngineError):
        await peer.server.post("/abort_request", json={"rid": rid})


def _body(peer: Peer, prompt: Prompt) -> dict[str, Any]:
    body: dict[str, Any] = {"rid": prompt.rid, "input_ids": list(prompt.tokens)}
    if peer.plugin is not None:
        body["session_id"] = session_id(prompt.handle, prompt.sender)
    if prompt.adapter is not None:
        body["lora_path"] = prompt.adapter
    return body


def _sampling(sampling: Sampling) -> dict[str, Any]:
    if sampling.temperature == 0:
        return {"temperature": 0.0}
    values = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k or -1,
        "repetition_penalty": sampling.repetition_penalty,
        "sampling_seed": sampling.seed,
    }
    return {name: value for name, value in values.items() if value is not None}


def _outcome(event: Any) -> tuple[dict[str, Any], StopReason | None]:
    """Read what an event says of its request, and why it is the last one; None = it is not.

    Raises:
        EngineError: the request failed.
    """
    meta: dict[str, Any] = event["meta_info"]
    finish = meta["finish_reason"]
    match finish and finish["type"]:
        case None:
            return meta, None
        case "length":
            return meta, "length"
        case "stop":
            return meta, "stop"
        case _:
            message = finish.get("message") or "the request was aborted"
            raise error_for_event("SGLang", {"message": message, "code": finish.get("status_code")})


def _end(
    peer: Peer, prompt: Prompt, call: Call, meta: dict[str, Any], reason: StopReason
) -> GenerationEnd:
    cached = int(meta.get("cached_tokens", 0))
    details = meta.get("cached_tokens_details") or {"device": cached, "host": 0}
    return call.end(
        reason,
        prompt_tokens=len(prompt.tokens),
        cached_tokens=cached,
        generated_tokens=int(meta.get("completion_tokens", 0)),
        tier_at_start=_tier(details, prompt.prefix_tokens, peer.page_tokens),
        queue_s=float(meta.get("queue_time") or 0.0),
    )


def _tier(cached: dict[str, Any], prefix_tokens: int, page_tokens: int) -> Tier:
    """Find the tier the prefix lay in: the slowest it came from; pages are only ever kept whole."""
    whole = prefix_tokens - prefix_tokens % page_tokens
    device, host = int(cached.get("device", 0)), int(cached.get("host", 0))
    if device >= whole:
        return Tier.DEVICE
    if device + host >= whole:
        return Tier.HOST
    storage = int(cached.get("storage", 0))
    return Tier.DISK if device + host + storage >= whole else Tier.ABSENT
