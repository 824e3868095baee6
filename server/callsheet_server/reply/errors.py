"""Engine errors as wire errors: the one table."""

from __future__ import annotations

from typing import Final

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet_server.engine import errors as engine

__all__ = ["from_engine"]

UNAVAILABLE_RETRY_S = 2.0
"""When to try again while the engine is down; it is looked for all the time."""

_CODES: Final[dict[type[engine.EngineError], ErrorCode]] = {
    engine.EngineUnavailableError: ErrorCode.ENGINE_UNAVAILABLE,
    engine.EngineOverloadedError: ErrorCode.ENGINE_OVERLOADED,
    engine.UnknownNpcError: ErrorCode.UNKNOWN_NPC,
    engine.UnknownAdapterError: ErrorCode.UNKNOWN_ADAPTER,
    engine.ContextTooLongError: ErrorCode.CONTEXT_TOO_LONG,
    engine.GenerationError: ErrorCode.GENERATION_FAILED,
}


def from_engine(error: engine.EngineError) -> CallsheetError:
    """What the client is told. Engine texts name no internals, so they go through."""
    retry_after_s = None
    if isinstance(error, engine.EngineOverloadedError):
        retry_after_s = error.retry_after_s
    elif isinstance(error, engine.EngineUnavailableError):
        retry_after_s = UNAVAILABLE_RETRY_S
    code = _CODES.get(type(error), ErrorCode.GENERATION_FAILED)
    return error_for(code, str(error), retry_after_s=retry_after_s)
