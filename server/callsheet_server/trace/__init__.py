"""Recorded sessions: what they hold, and their file format."""

from callsheet_server.trace.file import TraceError, TraceWriter, read_trace
from callsheet_server.trace.trace import Trace, TraceCall, TraceNpc, TracePlayer, TraceTick

__all__ = [
    "Trace",
    "TraceCall",
    "TraceError",
    "TraceNpc",
    "TracePlayer",
    "TraceTick",
    "TraceWriter",
    "read_trace",
]
