from __future__ import annotations

import pytest

from callsheet.wire import ErrorCode
from callsheet_server.engine import errors
from callsheet_server.outgoing.errors import UNAVAILABLE_RETRY_S, from_engine


def subclasses() -> list[type[errors.EngineError]]:
    return [
        getattr(errors, name)
        for name in errors.__all__
        if name not in ("EngineError", "EngineStartError", "in_full")
    ]


@pytest.mark.parametrize("kind", subclasses())
def test_every_engine_error_has_its_code(kind: type[errors.EngineError]) -> None:
    more = {
        "EngineOverloadedError": (2.5,),
        "ModelLoadingError": (2.5,),
        "RequestRefusedError": ("no",),
    }
    error = kind("full", *more.get(kind.__name__, ()))
    told = from_engine(error)
    expected = {
        "EngineUnavailableError": ErrorCode.ENGINE_UNAVAILABLE,
        "EngineOverloadedError": ErrorCode.ENGINE_OVERLOADED,
        "ModelLoadingError": ErrorCode.ENGINE_OVERLOADED,
        "UnknownNpcError": ErrorCode.UNKNOWN_NPC,
        "UnknownAdapterError": ErrorCode.UNKNOWN_ADAPTER,
        "ContextTooLongError": ErrorCode.CONTEXT_TOO_LONG,
        "QuotaExhaustedError": ErrorCode.ENGINE_UNAVAILABLE,
        "GenerationError": ErrorCode.GENERATION_FAILED,
        "EmptyReplyError": ErrorCode.GENERATION_FAILED,
        "RequestRefusedError": ErrorCode.GENERATION_FAILED,
    }
    assert told.code == expected[kind.__name__]
    assert told.message == "full"
    waits = {
        "EngineOverloadedError": 2.5,
        "ModelLoadingError": 2.5,
        "EngineUnavailableError": UNAVAILABLE_RETRY_S,
    }
    assert told.retry_after_s == waits.get(kind.__name__)


def test_an_error_nobody_knows_is_a_failed_generation() -> None:
    class NewError(errors.EngineError):
        pass

    assert from_engine(NewError("x")).code == ErrorCode.GENERATION_FAILED
