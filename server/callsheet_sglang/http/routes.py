"""Our routes in SGLang's HTTP process, behind its own API key check."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from sglang.srt.entrypoints import http_server
from sglang.utils import TypeBasedDispatcher

from callsheet_sglang import wire
from callsheet_sglang.http.messages import (
    BUSY,
    CallsheetAdapters,
    CallsheetAnswer,
    CallsheetDistances,
    CallsheetQuestion,
)
from callsheet_sglang.lora.adapter_swap import add_swap_route

__all__ = ["add_routes"]

REST_TIMEOUT_S = 30.0
"""An audit waits as long for a moment without requests."""
REST_POLL_S = 0.05
ANSWER_TIMEOUT_S = 30.0

_numbers = itertools.count()
_asked: dict[str | None, asyncio.Future[Any]] = {}
"""Questions that the scheduler has not answered yet, by their ``rid``."""


def add_routes(app: FastAPI) -> None:
    """Add all of them."""
    app.add_api_route(wire.DISTANCES_PATH, _distances, methods=["POST"])
    app.add_api_route(wire.NPCS_PATH, _npcs, methods=["POST"])
    app.add_api_route(wire.RESIDENCY_PATH, _residency, methods=["GET"])
    app.add_api_route(wire.STATUS_PATH, _status, methods=["GET"])
    add_swap_route(app)
    app.add_api_route(wire.AUDIT_PATH, _audit, methods=["POST"])


async def _distances(request: Request) -> Response:
    return await _hand_on(request, wire.decode_distances, CallsheetDistances)


async def _npcs(request: Request) -> Response:
    return await _hand_on(request, wire.decode_adapters, CallsheetAdapters)


async def _residency(since: int = 0) -> Response:
    answer = await _ask(CallsheetQuestion(about="residency", since=since))
    return Response(answer.body, answer.status, media_type="application/octet-stream")


async def _status() -> Response:
    return _json(await _ask(CallsheetQuestion(about="status")))


async def _audit() -> Response:
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + REST_TIMEOUT_S
    while True:
        answer = await _ask(CallsheetQuestion(about="audit"))
        if answer.status != BUSY or loop.time() > give_up_s:
            return _json(answer)
        await asyncio.sleep(REST_POLL_S)


async def _hand_on(
    request: Request, check: Callable[[bytes], object], message: Callable[..., Any]
) -> Response:
    """Send a body that ``check`` accepts to the scheduler, and do not wait for it."""
    body = await request.body()
    try:
        check(body)
    except wire.WireError as error:
        return _json(CallsheetAnswer(status=400, body=wire.encode_error(error)))
    http_server.get_global_state().tokenizer_manager._dispatch_to_scheduler(message(body=body))
    return Response(status_code=204)


async def _ask(question: Any) -> Any:
    """Ask the scheduler and wait for its answer; 504 if there is none."""
    manager = http_server.get_global_state().tokenizer_manager
    manager._result_dispatcher += TypeBasedDispatcher([(CallsheetAnswer, _answered)])
    manager.auto_create_handle_loop()
    question.rid = f"callsheet-{next(_numbers)}"
    answer = _asked[question.rid] = asyncio.get_running_loop().create_future()
    try:
        manager._dispatch_to_scheduler(question)
        return await asyncio.wait_for(answer, ANSWER_TIMEOUT_S)
    except TimeoutError:
        return CallsheetAnswer(status=504, body=b'{"error": "the scheduler does not answer"}')
    finally:
        del _asked[question.rid]


def _answered(answer: Any) -> None:
    waiting = _asked.get(answer.rid)
    if waiting is not None and not waiting.done():
        waiting.set_result(answer)


def _json(answer: Any) -> Response:
    return Response(answer.body, answer.status, media_type="application/json")
