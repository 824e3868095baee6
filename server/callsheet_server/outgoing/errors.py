"""Wire errors for what went wrong in an engine or a tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.tick import Tick
from callsheet_server.engine import errors as engine
from callsheet_server.world.world import TickReport

__all__ = ["from_engine", "misfits_error", "tick_errors"]

UNAVAILABLE_RETRY_S = 2.0
"""Wait before another try while the engine is down; the server keeps looking for it."""
MAX_SHOWN_MISFITS: Final = 8

_CODES: Final[dict[type[engine.EngineError], ErrorCode]] = {
    engine.EngineUnavailableError: ErrorCode.ENGINE_UNAVAILABLE,
    engine.EngineOverloadedError: ErrorCode.ENGINE_OVERLOADED,
    engine.ModelLoadingError: ErrorCode.ENGINE_OVERLOADED,
    engine.QuotaExhaustedError: ErrorCode.ENGINE_UNAVAILABLE,
    engine.UnknownNpcError: ErrorCode.UNKNOWN_NPC,
    engine.UnknownAdapterError: ErrorCode.UNKNOWN_ADAPTER,
    engine.ContextTooLongError: ErrorCode.CONTEXT_TOO_LONG,
    engine.GenerationError: ErrorCode.GENERATION_FAILED,
}


def from_engine(error: engine.EngineError) -> CallsheetError:
    """Tell the client of an engine's failure. Its text is made for that, and its notes are not."""
    retry_after_s = None
    if isinstance(error, engine.EngineOverloadedError):
        retry_after_s = error.retry_after_s
    elif isinstance(error, engine.EngineUnavailableError):
        retry_after_s = UNAVAILABLE_RETRY_S
    code = _CODES.get(type(error), ErrorCode.GENERATION_FAILED)
    return error_for(code, str(error), retry_after_s=retry_after_s)


def misfits_error(found: Sequence[tuple[str, str]]) -> CallsheetError:
    """Tell of NPCs that cannot speak, each with the reason; the first is named in ``value``."""
    npc, _ = found[0]
    shown = "; ".join(f"{name}: {why}" for name, why in found[:MAX_SHOWN_MISFITS])
    more = len(found) - MAX_SHOWN_MISFITS
    shown += f"; and {more} more" if more > 0 else ""
    return error_for(ErrorCode.CONTEXT_TOO_LONG, shown, field="persona", value=npc)


def tick_errors(tick: Tick, report: TickReport) -> list[CallsheetError]:
    """Describe as errors what of a tick was left out."""
    errors = []
    if report.unknown_count:
        shown = ", ".join(map(str, report.unknown_handles))
        errors.append(
            error_for(
                ErrorCode.UNKNOWN_HANDLE,
                f"tick {tick.tick}: {report.unknown_count} records with unknown handles skipped: "
                f"{shown}",
                field="handle",
                value=f"[{shown}]",
            )
        )
    if report.bad_count:
        shown = ", ".join(map(str, report.bad_handles))
        errors.append(
            error_for(
                ErrorCode.BAD_VALUE,
                f"tick {tick.tick}: {report.bad_count} records skipped, of handles {shown}: "
                f"positions and velocities must be finite and within 1e7, next_call_s NaN or at "
                f"least 0, flags at most 3",
                field="handle",
                value=f"[{shown}]",
            )
        )
    return errors
