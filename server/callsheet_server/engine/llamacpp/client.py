"""Client of llama.cpp's server: prefixes, states of its slots, replies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
from llguidance import LLMatcher

from callsheet_server.engine.calls import Call
from callsheet_server.engine.engine import Delta, GenerationRequest, Sampling, StopReason
from callsheet_server.engine.errors import GenerationError
from callsheet_server.engine.grammar_limits import GRAMMAR_LIMITS
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.sse import DONE

__all__ = ["LlamaClient", "Outcome", "completion_body"]

COMPLETION: Final = "/completion"
MAX_JUDGED: Final = 256
"""Schemas whose verdict is remembered: every reply brings that of its actions again."""
NEUTRAL: Final = {"min_p": 0.0, "samplers": ["penalties", "top_k", "top_p", "temperature"]}
"""Sampling of llama.cpp's own choice, left out; and the order of what a request may set."""


@dataclass(slots=True)
class Outcome:
    """Course of a reply; filled in as it is streamed."""

    cached_tokens: int = 0
    generated_tokens: int = 0
    reason: StopReason | None = None

    def read(self, event: dict[str, Any]) -> None:
        """Take in an event of the stream."""
        self.generated_tokens = int(event.get("tokens_predicted", 0))
        if event.get("stop"):
            self.cached_tokens = int(event["timings"]["cache_n"])
            self.reason = "length" if event.get("stop_type") == "limit" else "stop"


class LlamaClient:
    """Asks one llama-server. Every method raises ``EngineError`` as ``http_errors.py`` says."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server

    async def prefill(
        self, slot: int, tokens: Sequence[int], adapter: int | None
    ) -> tuple[int, float]:
        """Have the KV of ``tokens`` in ``slot``; returns how many were computed, and the seconds.

        What the slot holds of their beginning is not computed again, if it was by that adapter.
        """
        body = _prompt(slot, tokens, adapter) | {"n_predict": 0, "temperature": 0.0}
        timings = orjson.loads(await self._server.post(COMPLETION, json=body))["timings"]
        return int(timings["prompt_n"]), float(timings["prompt_ms"]) / 1000

    async def save(self, slot: int, file: str) -> tuple[int, int]:
        """Write the slot's state to a file in the folder of slots; returns its tokens and bytes."""
        answer = await self._act(slot, "save", {"filename": file})
        return int(answer["n_saved"]), int(answer["n_written"])

    async def restore(self, slot: int, file: str) -> int:
        """Read the slot's state from such a file; returns its tokens."""
        return int((await self._act(slot, "restore", {"filename": file}))["n_restored"])

    async def erase(self, slot: int) -> None:
        """Empty the slot."""
        await self._act(slot, "erase", {})

    async def generate(
        self,
        slot: int,
        tokens: Sequence[int],
        call: Call,
        outcome: Outcome,
        *,
        prefix_tokens: int = 0,
        adapter: int | None = None,
    ) -> AsyncGenerator[Delta]:
        """Stream the reply; left early, llama.cpp ends it at the next token.

        The repetition penalty counts the talk, what comes after ``prefix_tokens``.
        """
        more = await asyncio.to_thread(completion_body, call.request)
        talk = {"repeat_last_n": len(tokens) - prefix_tokens + call.request.max_new_tokens}
        body = _prompt(slot, tokens, adapter) | talk | more
        stream = self._server.stream(COMPLETION, body, call.request.gather_s)
        async with aclosing(stream) as batches:
            async for events in batches:
                if events[-1] is DONE:
                    break
                before = outcome.generated_tokens
                for event in events:
                    outcome.read(event)
                    if event.get("tokens"):
                        call.heard()
                words = "".join(event.get("content", "") for event in events)
                if certain := call.text.push(words):
                    yield Delta(certain, tokens=outcome.generated_tokens - before)
        if outcome.reason is None:
            raise GenerationError("llama.cpp ended the reply without saying why")
        if rest := call.text.flush():
            yield Delta(rest)

    async def _act(self, slot: int, action: str, body: dict[str, str]) -> dict[str, Any]:
        path = f"/slots/{slot}?action={action}"
        answer: dict[str, Any] = orjson.loads(await self._server.post(path, json=body))
        return answer


def completion_body(request: GenerationRequest) -> dict[str, Any]:
    """A request in llama.cpp's terms, but for its prompt.

    Raises:
        GenerationError: its JSON schema cannot be enforced.
    """
    body: dict[str, Any] = {
        "stream": True,
        "n_predict": request.max_new_tokens,
        "return_tokens": True,
        "stop": list(request.stop),
        **_sampling(request.sampling),
    }
    if request.json_schema is not None:
        body["json_schema"] = _enforceable(request.json_schema)
        body["repeat_penalty"] = 1.0  # JSON repeats itself.
    return body


def _prompt(slot: int, tokens: Sequence[int], adapter: int | None) -> dict[str, Any]:
    lora = [] if adapter is None else [{"id": adapter, "scale": 1.0}]
    return {"prompt": list(tokens), "id_slot": slot, "cache_prompt": True, "lora": lora}


def _sampling(sampling: Sampling) -> dict[str, Any]:
    if sampling.temperature == 0:
        return {"temperature": 0.0, "repeat_penalty": 1.0}
    return NEUTRAL | {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "repeat_penalty": sampling.repetition_penalty,
        "seed": -1 if sampling.seed is None else sampling.seed,
    }


def _enforceable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema, without free white space; llama.cpp would leave out one that it cannot use."""
    strict = {**schema, "x-guidance": {"whitespace_flexible": False}}
    try:
        problem = _problem(json.dumps(strict))
    except (TypeError, ValueError) as error:
        raise GenerationError(f"json_schema: cannot be used: {error}") from error
    if problem:
        raise GenerationError(f"json_schema: cannot be enforced: {problem}")
    return strict


@lru_cache(MAX_JUDGED)
def _problem(schema: str) -> str:
    """Say what keeps a schema from being enforced, "" = nothing; ValueError if it is none."""
    grammar = LLMatcher.grammar_from_json_schema(schema)
    return LLMatcher.validate_grammar(grammar, limits=GRAMMAR_LIMITS)
