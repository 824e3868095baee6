"""Recorded sessions: their file format, and replaying them through the planner alone."""

from callsheet_server.trace.file import TraceError, TraceWriter, read_trace
from callsheet_server.trace.simulation import Budgets, Links, Replay, Report, simulate
from callsheet_server.trace.trace import Trace, TraceCall, TraceNpc, TracePlayer, TraceTick

__all__ = [
    "Budgets",
    "Links",
    "Replay",
    "Report",
    "Trace",
    "TraceCall",
    "TraceError",
    "TraceNpc",
    "TracePlayer",
    "TraceTick",
    "TraceWriter",
    "read_trace",
    "simulate",
]
