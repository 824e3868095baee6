"""The one error tree of Callsheet, and how each error shows on the wire.

    CallsheetError
    ├── ProtocolError    what was sent is not valid callsheet.v1
    ├── AuthError        who you are does not allow this
    ├── VersionError     the two sides speak different major versions
    ├── WorldError       the world does not have, or does not allow, what was named
    ├── RequestError     the request cannot be accepted as sent
    ├── EngineError      the language model side failed or is not there
    └── SessionError     the session as a whole ended or cannot go on

Every error has a code (``ErrorCode``); the code alone decides the exception class, the close code
and whether the session goes on. ``RULES`` is that table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator

__all__ = [
    "RULES",
    "AuthError",
    "CallsheetError",
    "CloseCode",
    "Code",
    "EngineError",
    "ErrorCode",
    "ProtocolError",
    "RequestError",
    "Rule",
    "SessionError",
    "VersionError",
    "WorldError",
    "error_for",
]


class ErrorCode(StrEnum):
    """Every code that can stand in an ``error`` message or a ``reply_end``."""

    BAD_JSON = "bad_json"
    BAD_MESSAGE = "bad_message"
    UNKNOWN_TYPE = "unknown_type"
    BAD_TICK = "bad_tick"
    TICK_OUT_OF_ORDER = "tick_out_of_order"
    TIME_BACKWARDS = "time_backwards"
    HELLO_EXPECTED = "hello_expected"
    MESSAGE_TOO_LARGE = "message_too_large"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    VERSION_MISMATCH = "version_mismatch"
    WORLD_TAKEN = "world_taken"
    WORLD_NOT_READY = "world_not_ready"
    UNKNOWN_NPC = "unknown_npc"
    UNKNOWN_PLAYER = "unknown_player"
    UNKNOWN_HANDLE = "unknown_handle"
    UNKNOWN_SAVE = "unknown_save"
    DUPLICATE_NPC = "duplicate_npc"
    DUPLICATE_PLAYER = "duplicate_player"
    BAD_VALUE = "bad_value"
    LIMIT_EXCEEDED = "limit_exceeded"
    DUPLICATE_REQUEST = "duplicate_request"
    UNKNOWN_REQUEST = "unknown_request"
    TEXT_REFUSED = "text_refused"
    ENGINE_UNAVAILABLE = "engine_unavailable"
    ENGINE_OVERLOADED = "engine_overloaded"
    CONTEXT_TOO_LONG = "context_too_long"
    UNKNOWN_ADAPTER = "unknown_adapter"
    GENERATION_FAILED = "generation_failed"
    INTERRUPTED = "interrupted"
    STORAGE_FAILED = "storage_failed"
    HELLO_TIMEOUT = "hello_timeout"
    HEARTBEAT_TIMEOUT = "heartbeat_timeout"
    SUPERSEDED = "superseded"
    SLOW_CONSUMER = "slow_consumer"
    FLOODING = "flooding"
    DRAINING = "draining"
    INTERNAL = "internal"


def _known_or_new(code: str) -> str:
    return ErrorCode(code) if code in ErrorCode.__members__.values() else code


Code = Annotated[str, AfterValidator(_known_or_new)]
"""An ``ErrorCode``, or the plain string of a code that a later minor version added."""


class CloseCode(IntEnum):
    """WebSocket close codes (RFC 6455, section 7.4); 4000 to 4999 are ours."""

    NORMAL = 1000
    MESSAGE_TOO_BIG = 1009
    PROTOCOL_ERROR = 4000
    UNAUTHORIZED = 4001
    VERSION_MISMATCH = 4002
    HELLO_TIMEOUT = 4004
    WORLD_TAKEN = 4005
    HEARTBEAT_TIMEOUT = 4006
    SUPERSEDED = 4007
    SLOW_CONSUMER = 4008
    FLOODING = 4009
    DRAINING = 4010
    INTERNAL = 4011


class CallsheetError(Exception):
    """Base of all errors that can cross the wire.

    Attributes:
        code: what went wrong.
        message: one sentence for a developer, with the fix if there is one.
        field: dotted path of the offending field, if one is to blame.
        value: the offending value, shortened.
        limit: the limit that was passed.
        retry_after_s: when trying again makes sense.
        request_id: the request to blame, where its id could be read though it is not valid.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        field: str | None = None,
        value: str | None = None,
        limit: float | None = None,
        retry_after_s: float | None = None,
        request_id: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.value = value
        self.limit = limit
        self.retry_after_s = retry_after_s
        self.request_id = request_id

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ProtocolError(CallsheetError):
    """A message is not valid callsheet.v1."""


class AuthError(CallsheetError):
    """The token or the role does not allow this."""


class VersionError(CallsheetError):
    """The two sides speak different major versions."""


class WorldError(CallsheetError):
    """The world does not have, or does not allow, what was named."""


class RequestError(CallsheetError):
    """The request cannot be accepted as sent."""


class EngineError(CallsheetError):
    """The engine failed, is overloaded or is not there."""


class SessionError(CallsheetError):
    """The session as a whole ended or cannot go on."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Behaviour of one error code."""

    raises: type[CallsheetError]
    closes: CloseCode | None = None
    """The close code that follows the error message; None = the session goes on."""
    resumable: bool = False
    """True if the session can be resumed after this close."""
    returns: bool = False
    """True if a client connects again by itself after this close, for a new session."""

    @property
    def is_final(self) -> bool:
        """Whether coming back by itself would end the same way."""
        return self.closes is not None and not (self.resumable or self.returns)


RULES: Mapping[ErrorCode, Rule] = {
    ErrorCode.BAD_JSON: Rule(ProtocolError),
    ErrorCode.BAD_MESSAGE: Rule(ProtocolError),
    ErrorCode.UNKNOWN_TYPE: Rule(ProtocolError),
    ErrorCode.BAD_TICK: Rule(ProtocolError),
    ErrorCode.TICK_OUT_OF_ORDER: Rule(ProtocolError),
    ErrorCode.TIME_BACKWARDS: Rule(ProtocolError),
    ErrorCode.HELLO_EXPECTED: Rule(ProtocolError, CloseCode.PROTOCOL_ERROR),
    ErrorCode.MESSAGE_TOO_LARGE: Rule(ProtocolError, CloseCode.MESSAGE_TOO_BIG),
    ErrorCode.UNAUTHORIZED: Rule(AuthError, CloseCode.UNAUTHORIZED),
    ErrorCode.FORBIDDEN: Rule(AuthError),
    ErrorCode.VERSION_MISMATCH: Rule(VersionError, CloseCode.VERSION_MISMATCH),
    ErrorCode.WORLD_TAKEN: Rule(WorldError, CloseCode.WORLD_TAKEN),
    ErrorCode.WORLD_NOT_READY: Rule(WorldError),
    ErrorCode.UNKNOWN_NPC: Rule(WorldError),
    ErrorCode.UNKNOWN_PLAYER: Rule(WorldError),
    ErrorCode.UNKNOWN_HANDLE: Rule(WorldError),
    ErrorCode.UNKNOWN_SAVE: Rule(WorldError),
    ErrorCode.DUPLICATE_NPC: Rule(WorldError),
    ErrorCode.DUPLICATE_PLAYER: Rule(WorldError),
    ErrorCode.BAD_VALUE: Rule(WorldError),
    ErrorCode.LIMIT_EXCEEDED: Rule(WorldError),
    ErrorCode.DUPLICATE_REQUEST: Rule(RequestError),
    ErrorCode.UNKNOWN_REQUEST: Rule(RequestError),
    ErrorCode.TEXT_REFUSED: Rule(RequestError),
    ErrorCode.ENGINE_UNAVAILABLE: Rule(EngineError),
    ErrorCode.ENGINE_OVERLOADED: Rule(EngineError),
    ErrorCode.CONTEXT_TOO_LONG: Rule(EngineError),
    ErrorCode.UNKNOWN_ADAPTER: Rule(EngineError),
    ErrorCode.GENERATION_FAILED: Rule(EngineError),
    ErrorCode.INTERRUPTED: Rule(EngineError),
    ErrorCode.STORAGE_FAILED: Rule(EngineError),
    ErrorCode.HELLO_TIMEOUT: Rule(SessionError, CloseCode.HELLO_TIMEOUT, returns=True),
    ErrorCode.HEARTBEAT_TIMEOUT: Rule(SessionError, CloseCode.HEARTBEAT_TIMEOUT, resumable=True),
    ErrorCode.SUPERSEDED: Rule(SessionError, CloseCode.SUPERSEDED),
    ErrorCode.SLOW_CONSUMER: Rule(SessionError, CloseCode.SLOW_CONSUMER, returns=True),
    ErrorCode.FLOODING: Rule(SessionError, CloseCode.FLOODING),
    ErrorCode.DRAINING: Rule(SessionError, CloseCode.DRAINING, returns=True),
    ErrorCode.INTERNAL: Rule(SessionError, CloseCode.INTERNAL, resumable=True),
}


def error_for(code: ErrorCode, message: str, **details: Any) -> CallsheetError:
    """The exception that ``code`` stands for, of the class the table names."""
    return RULES[code].raises(code, message, **details)
