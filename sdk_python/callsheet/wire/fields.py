"""The value types that messages are built from, with their limits."""

from typing import Annotated, Literal

from pydantic import Field

__all__ = [
    "MAX_COORDINATE_M",
    "MAX_PERSONA_CHARS",
    "MAX_SPEECH_CHARS",
    "PROTOCOL",
    "SUBPROTOCOL",
    "ActionName",
    "Handle",
    "Name",
    "NpcId",
    "Persona",
    "PlayerId",
    "RequestId",
    "Role",
    "Seconds",
    "Speech",
    "StateKindName",
    "TierName",
    "Vec3",
    "WorldId",
]

PROTOCOL = "1.0"
"""Protocol version, major.minor. Majors must match; a minor adds, never changes."""
SUBPROTOCOL = "callsheet.v1"
"""The WebSocket subprotocol of major version 1. Offering it is optional."""

MAX_COORDINATE_M = 1e7
MAX_PERSONA_CHARS = 16_000
MAX_SPEECH_CHARS = 4_000

_ID = r"^[A-Za-z0-9_.:\-]+$"

Role = Literal["game", "mod", "observer"]
TierName = Literal["device", "host", "disk", "absent"]
StateKindName = Literal["prefix", "adapter", "weights", "blob"]

WorldId = Annotated[str, Field(min_length=1, max_length=64, pattern=_ID)]
NpcId = Annotated[str, Field(min_length=1, max_length=64, pattern=_ID)]
PlayerId = Annotated[str, Field(min_length=1, max_length=64, pattern=_ID)]
ActionName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Persona = Annotated[str, Field(max_length=MAX_PERSONA_CHARS)]
Speech = Annotated[str, Field(min_length=1, max_length=MAX_SPEECH_CHARS)]
RequestId = Annotated[int, Field(ge=1, le=2**53 - 1)]
Handle = Annotated[int, Field(ge=0, le=2**32 - 1)]
Seconds = Annotated[float, Field(ge=0, le=1e12)]
Coordinate = Annotated[float, Field(ge=-MAX_COORDINATE_M, le=MAX_COORDINATE_M)]
Vec3 = tuple[Coordinate, Coordinate, Coordinate]
