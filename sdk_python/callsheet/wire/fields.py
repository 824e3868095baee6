"""The value types that messages are built from, with their limits."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

__all__ = [
    "MAX_COORDINATE_M",
    "MAX_GAME_TIME_S",
    "MAX_INTEGER",
    "MAX_JSON_DEPTH",
    "MAX_PERSONA_CHARS",
    "MAX_SPEECH_CHARS",
    "PROTOCOL",
    "SUBPROTOCOL",
    "ActionName",
    "AdapterId",
    "ArchetypeId",
    "Count",
    "FlagName",
    "Handle",
    "JsonObject",
    "Many",
    "Name",
    "NpcId",
    "Persona",
    "PlayerId",
    "PolicyName",
    "RequestId",
    "Role",
    "ScriptId",
    "Seconds",
    "Serial",
    "Speech",
    "StateKindName",
    "TierName",
    "Vec3",
    "WorldId",
]

PROTOCOL: Final = "1.4"
"""Protocol version, major.minor. Majors must match; a minor adds, never changes."""
SUBPROTOCOL: Final = "callsheet.v1"
"""The WebSocket subprotocol of major version 1. Offering it is optional."""

MAX_COORDINATE_M: Final = 1e7
MAX_GAME_TIME_S: Final = 1e12
MAX_INTEGER: Final = 2**53 - 1
"""The greatest integer that every JSON library reads exactly."""
MAX_JSON_DEPTH: Final = 32
"""Objects and arrays inside each other in a JSON object; the object itself is level 1."""
MAX_PERSONA_CHARS: Final = 16_000
MAX_SPEECH_CHARS: Final = 4_000

Role = Literal["game", "mod", "observer"]
PolicyName = Literal["distance", "lru", "naive"]
TierName = Literal["device", "host", "disk", "absent"]
StateKindName = Literal["prefix", "adapter", "weights", "blob"]

WorldId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:\-]+$")]
NpcId = WorldId
PlayerId = WorldId
ArchetypeId = WorldId
AdapterId = WorldId
ScriptId = WorldId
FlagName = WorldId
ActionName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Persona = Annotated[str, Field(max_length=MAX_PERSONA_CHARS)]
Speech = Annotated[str, Field(min_length=1, max_length=MAX_SPEECH_CHARS)]


def whole(value: Any) -> Any:
    """Read ``3.0`` as 3: JSON has one kind of number, and some writers put a point in each."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole: BeforeValidator = BeforeValidator(whole)
"""Marks an integer that may be written with a fraction of 0."""
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER), Whole]
Serial = Annotated[int, Field(ge=1, le=MAX_INTEGER), Whole]
"""The number of one of many: the first is 1."""
RequestId = Serial
Handle = Annotated[int, Field(ge=0, le=2**32 - 1), Whole]
Seconds = Annotated[float, Field(ge=0, le=MAX_GAME_TIME_S)]
Coordinate = Annotated[float, Field(ge=-MAX_COORDINATE_M, le=MAX_COORDINATE_M)]
Item = TypeVar("Item")
if TYPE_CHECKING:  # whoever builds a message may give lists; they are kept as tuples
    Vec3: TypeAlias = Sequence[float]
    Many: TypeAlias = Sequence[Item]
else:
    Vec3 = tuple[Coordinate, Coordinate, Coordinate]
    Many = Annotated[tuple[Item, ...], Field(fail_fast=True)]
    """A list that is given up at its first bad item, so that a list of bad items costs no more."""


def _check_json(value: Any, depth: int = 1) -> Any:
    """Refuse what JSON libraries read differently: NaN, infinity, huge integers, deep nesting."""
    if isinstance(value, dict | list):
        if depth > MAX_JSON_DEPTH:
            raise PydanticCustomError(
                "json_depth",
                "Objects and arrays may be nested {le} deep",
                {"le": MAX_JSON_DEPTH},
            )
        for item in value.values() if isinstance(value, dict) else value:
            _check_json(item, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("json_number", "Numbers inside must be finite")
    elif isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise PydanticCustomError(
            "json_integer", "Integers inside must lie within -{le} to {le}", {"le": MAX_INTEGER}
        )
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_check_json)]
"""Any JSON object that is not nested too deep."""
