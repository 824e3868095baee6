"""One request to SGLang, and what it says about itself."""

from __future__ import annotations

import time
from dataclasses import dataclass

import aiohttp
import orjson

from callsheet_bench.workload import Request
from callsheet_sglang.wire import session_id

__all__ = ["RequestError", "Sample", "ask"]


class RequestError(Exception):
    """SGLang did not answer a request as it should; the text says which and how."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One reply."""

    ttft_s: float
    """Time from sending the request to the first token, as the client saw it."""
    total_s: float
    """Time from sending the request to its end."""
    prefix_tokens: int
    device_tokens: int
    """Tokens of the prefix found on the device."""
    host_tokens: int
    """Tokens of the prefix loaded from the host for this request."""
    queue_s: float
    """Time until it was admitted to a batch."""
    prefill_s: float
    """Time from then to its first token, waiting for loads included."""
    decode_s: float
    """Time from then to its last token."""


async def ask(
    http: aiohttp.ClientSession, url: str, request: Request, adapter: str | None = None
) -> Sample:
    """Send a request and read its stream to the end.

    Raises:
        RequestError: the answer is an error, or not of the length asked for.
        aiohttp.ClientError: the connection was lost.
    """
    body: dict[str, object] = {
        "input_ids": request.input_ids,
        "session_id": session_id(request.row),
        "sampling_params": {
            "temperature": 0.0,
            "max_new_tokens": request.reply_tokens,
            "ignore_eos": True,
        },
        "stream": True,
    }
    if adapter is not None:
        body["lora_path"] = adapter
    begun_s = time.perf_counter()
    first_s = None
    last = b""
    async with http.post(
        f"{url}/generate",
        data=orjson.dumps(body),
        headers={"Content-Type": "application/json"},
    ) as answer:
        if answer.status != 200:
            raise RequestError(f"request {request.index}: {answer.status} {await answer.text()}")
        async for line in answer.content:
            if line.startswith(b"data: {"):
                first_s = first_s or time.perf_counter()
                last = line
    ended_s = time.perf_counter()
    meta = orjson.loads(last[6:]).get("meta_info") if last else None
    if first_s is None or not meta or meta["completion_tokens"] != request.reply_tokens:
        raise RequestError(f"request {request.index}: {last.decode(errors='replace')!r}")
    cached = meta.get("cached_tokens_details") or {}
    device = min(int(cached.get("device", 0)), request.prefix_tokens)
    admitted_s, prefilled_s = meta["forward_entry_time"], meta["prefill_finished_time"]
    return Sample(
        ttft_s=first_s - begun_s,
        total_s=ended_s - begun_s,
        prefix_tokens=request.prefix_tokens,
        device_tokens=device,
        host_tokens=min(int(cached.get("host", 0)), request.prefix_tokens - device),
        queue_s=admitted_s - meta["request_received_ts"],
        prefill_s=prefilled_s - admitted_s,
        decode_s=meta["request_finished_ts"] - prefilled_s,
    )
