"""Messages of ours to SGLang's scheduler, and what it answers. They ride SGLang's own sockets, and
with tensor parallelism its broadcast, so that all ranks see them in the same iteration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from sglang.srt.managers.io_struct import BaseReq, hook_custom_types

from callsheet_sglang.http.reports import audit, residency, status
from callsheet_sglang.kv.scheduler_state import SchedulerState, current
from callsheet_sglang.wire import decode_adapters, decode_distances

__all__ = [
    "CallsheetAdapters",
    "CallsheetAnswer",
    "CallsheetDistances",
    "CallsheetQuestion",
    "handlers",
    "register",
]

BUSY = 503
"""Status of an answer that cannot be given now."""


class CallsheetDistances(BaseReq):  # type: ignore[misc]
    """To the scheduler, one way: ``wire.Distances``, encoded."""

    body: bytes


class CallsheetAdapters(BaseReq):  # type: ignore[misc]
    """To the scheduler, one way: which adapter NPCs use, encoded."""

    body: bytes


class CallsheetQuestion(BaseReq):  # type: ignore[misc]
    """To the scheduler; a ``CallsheetAnswer`` comes back."""

    about: str
    """residency, status or audit."""
    since: int = 0
    """Version of the residency that the asker knows."""
    sender: int = 0
    """Sender whose NPCs are asked for."""


class CallsheetAnswer(BaseReq):  # type: ignore[misc]
    """An answer from the scheduler."""

    status: int
    """As an HTTP response's."""
    body: bytes


def register() -> None:
    """Teach this process to encode and decode these messages."""
    hook_custom_types(CallsheetDistances, CallsheetAdapters, CallsheetQuestion, CallsheetAnswer)


def handlers() -> list[tuple[type, Callable[[Any], Any]]]:
    """Return what the scheduler does with each of them."""
    return [
        (CallsheetDistances, lambda message: _contained(_take_distances, message)),
        (CallsheetAdapters, lambda message: _contained(_take_adapters, message)),
        (CallsheetQuestion, lambda message: _contained(_answer, message)),
    ]


def _contained(handle: Callable[[SchedulerState, Any], Any], message: Any) -> Any:
    state = current()
    try:
        return handle(state, message)
    except Exception as error:
        state.guard.catch(f"message {type(message).__name__}")
        if not isinstance(message, CallsheetQuestion):
            return None
        body = orjson.dumps({"error": f"{type(error).__name__}: {error}"})
        return CallsheetAnswer(rid=message.rid, status=500, body=body)


def _take_distances(state: SchedulerState, message: Any) -> None:
    for handle in state.table.take(decode_distances(message.body)).tolist():
        state.ownership.forget(handle)


def _take_adapters(state: SchedulerState, message: Any) -> None:
    state.table.assign(*decode_adapters(message.body))


def _answer(state: SchedulerState, message: Any) -> Any:
    code = 200
    if message.about == "residency":
        body = residency(state, message.since, message.sender)
    elif message.about == "status":
        body = orjson.dumps(status(state))
    elif not state.scheduler.is_fully_idle():
        code, body = BUSY, b'{"error": "requests are running"}'
    else:
        found = audit(state)
        code, body = 200 if found["ok"] else 500, orjson.dumps(found)
    return CallsheetAnswer(rid=message.rid, status=code, body=body)
