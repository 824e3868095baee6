"""What of a tick was left out, as wire errors."""

from __future__ import annotations

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.tick import Tick
from callsheet_server.world.world import TickReport

__all__ = ["tick_errors"]


def tick_errors(tick: Tick, report: TickReport) -> list[CallsheetError]:
    """One error for each reason that records were skipped."""
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
                field="npcs",
                value=f"[{shown}]",
            )
        )
    return errors
