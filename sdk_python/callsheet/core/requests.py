"""Open requests: what was asked and not yet answered."""

from __future__ import annotations

from collections.abc import Callable

from callsheet.wire.base import Reliable, Request
from callsheet.wire.codec import encode
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.session import Error
from callsheet.wire.talk import Action, ReplyDelta, ReplyEnd, ReplyStart

__all__ = ["Pending", "PendingReply", "exception_of"]


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
        self.id = request.id
        self.frame = encode(request).decode()
        self.answer: Reliable | None = None
        self.error: Exception | None = None
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
        if self.error is not None:
            raise self.error
        assert self.answer is not None, "result() before the request was done"
        return self.answer

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

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.start: ReplyStart | None = None
        self.deltas: list[str] = []
        self.actions: list[Action] = []
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
            case ReplyEnd(finish_reason="error"):
                code = _known(message.code or ErrorCode.INTERNAL)
                why = message.message or "the server does not say why"
                self.error = error_for(code, f"the reply of {message.npc!r} failed: {why}")
            case _:
                self.answer = message
        self.changed()
