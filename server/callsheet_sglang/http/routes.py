"""Our routes in SGLang's HTTP process, behind its own API key check."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from fastapi import FastAPI, Request, Response
from sglang.srt.entrypoints import http_server
from sglang.utils import TypeBasedDispatcher

from callsheet_sglang import wire
from callsheet_sglang.http.attendance import Attendance, farewell
from callsheet_sglang.http.messages import (
    BUSY,
    CallsheetAdapters,
    CallsheetAnswer,
    CallsheetDistances,
    CallsheetQuestion,
)
from callsheet_sglang.lora.adapter_swap import add_swap_route

__all__ = ["add_routes"]

BEGIN_ANEW = b'{"error": "this sender was not heard of for long: begin with a full update"}'
REST_TIMEOUT_S = 30.0
"""An audit waits as long for a moment without requests."""
REST_POLL_S = 0.05
ANSWER_TIMEOUT_S = 30.0

_attendance = Attendance()
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
    body = await request.body()
    try:
        update = wire.decode_distances(body)
    except wire.WireError as error:
        return _json(CallsheetAnswer(status=400, body=wire.encode_error(error)))
    now_s = asyncio.get_running_loop().time()
    for gone in _attendance.expire(now_s):
        _tell_scheduler(CallsheetDistances(body=wire.encode_distances(farewell(gone, now_s))))
    if not _attendance.admit(update.sender, now_s, full=update.full):
        return _json(CallsheetAnswer(status=409, body=BEGIN_ANEW))
    _tell_scheduler(CallsheetDistances(body=wire.stamped(body, now_s)))
    return Response(status_code=204)


async def _npcs(request: Request) -> Response:
    body = await request.body()
    try:
        wire.decode_adapters(body)
    except wire.WireError as error:
        return _json(CallsheetAnswer(status=400, body=wire.encode_error(error)))
    _tell_scheduler(CallsheetAdapters(body=body))
    return Response(status_code=204)


async def _residency(since: int = 0, sender: int = 0) -> Response:
    answer = await _ask(CallsheetQuestion(about="residency", since=since, sender=sender))
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


def _tell_scheduler(message: Any) -> None:
    """Send a message to the scheduler, and do not wait for it."""
    http_server.get_global_state().tokenizer_manager._dispatch_to_scheduler(message)


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
