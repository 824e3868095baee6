"""Open requests: what was asked and not yet answered."""

from __future__ import annotations

from collections.abc import Callable
from logging import Logger, getLogger

import orjson

from callsheet.wire.base import ClientMessage, Reliable, Request
from callsheet.wire.codec import encode
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.faults import shown
from callsheet.wire.saves import Load
from callsheet.wire.session import Error
from callsheet.wire.talk import Action, ReplyDelta, ReplyEnd, ReplyStart

__all__ = ["Pending", "PendingReply", "exception_of", "frame_of"]


logger: Logger = getLogger("callsheet")


def frame_of(message: ClientMessage) -> str:
    """The text frame of a message.

    Raises:
        ProtocolError: ``bad_message``: a JSON object in it holds what JSON has not.
    """
    try:
        return encode(message).decode()
    except TypeError as error:
        fields = message.model_dump(exclude={"type"}, exclude_none=True)
        field = next((name for name, value in fields.items() if not _is_json(value)), "")
        kind = type(message).model_fields["type"].default
        raise error_for(
            ErrorCode.BAD_MESSAGE,
            f"{kind}.{field}: cannot be written as JSON: {error}",
            field=field,
            value=shown(fields.get(field)),
        ) from None


def _is_json(value: object) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def exception_of(error: Error) -> CallsheetError:
    """The exception an ``error`` message stands for; codes not known here count as internal."""
    details = error.model_dump(include={"field", "value", "limit", "retry_after_s"})
    return error_for(_known(error.code), error.message, **details)


def _known(code: str) -> ErrorCode:
    try:
        return ErrorCode(code)
    except ValueError:
        return ErrorCode.INTERNAL


def _nothing() -> None:
    pass


class Pending:
    """One open request. It ends once, with an answer or an error."""

    def __init__(self, request: Request) -> None:
        self.error: Exception | None = None
        self._told = False
        self.answer: Reliable | None = None
        self.id: int = request.id
        self.is_load: bool = isinstance(request, Load)
        self.frame: str = frame_of(request)
        self.changed: Callable[[], None] = _nothing
        """Called after every change; the adapter's way to wake who waits."""

    @property
    def done(self) -> bool:
        """Whether there is an answer or an error."""
        return self.answer is not None or self.error is not None

    def result(self) -> Reliable:
        """The answer.

        Raises:
            CallsheetError: the server refused.
            SessionLostError: the session could not be resumed.
            SessionClosedError: the session was closed on this side.
        """
        self._told = True
        if self.error is not None:
            raise self.error
        assert self.answer is not None, "result() before the request was done"
        return self.answer

    def __del__(self) -> None:
        if isinstance(self.error, CallsheetError) and not self._told:
            logger.warning("nobody asked what became of request %d: %s", self.id, self.error)

    def fail(self, error: Exception) -> None:
        """End without an answer."""
        self.error = error
        self.changed()

    def take(self, message: Reliable) -> None:
        """Take a message that carries this request's id."""
        self.answer = message
        self.changed()


class PendingReply(Pending):
    """An open ``say`` or ``speak``: the reply as far as it has come."""

    answer: Reliable | None
    error: Exception | None

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.start: ReplyStart | None = None
        self.deltas: list[str] = []
        self.actions: list[Action] = []
        self.ends: list[ReplyEnd] = []
        self.cancelled = False

    def take(self, message: Reliable) -> None:
        """Take a piece of the reply."""
        match message:
            case ReplyStart():
                self.start = message
            case ReplyDelta():
                self.deltas.append(message.text)
            case Action():
                self.actions.append(message)
            case ReplyEnd(more=True):
                self.ends.append(message)
            case ReplyEnd(finish_reason="error"):
                self.ends.append(message)
                code = _known(message.code or ErrorCode.INTERNAL)
                why = message.message or "the server does not say why"
                self.error = error_for(code, f"the reply of {message.npc!r} failed: {why}")
            case ReplyEnd():
                self.ends.append(message)
                self.answer = message
            case _:
                self.answer = message
        self.changed()
