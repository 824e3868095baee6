"""Record of a session on disk, so that it can be resumed after a restart."""

from __future__ import annotations

from collections.abc import Iterable

from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.fields import MAX_INTEGER
from callsheet_server.session.resend import Kept
from callsheet_server.session.resume_tokens import ResumeTokens
from callsheet_server.storage.saved import SavedSession
from callsheet_server.storage.writes import (
    CloseRequest,
    CloseRequests,
    EndSession,
    ForgetAnswers,
    OpenRequest,
    PutAnswer,
    PutSession,
    Write,
)

__all__ = ["SessionRecord"]


class SessionRecord:
    """Resume tokens of the session and the requests it has taken; as values and as writes."""

    def __init__(self, session_id: str, survives: bool, saved: SavedSession | None) -> None:
        """``survives``: it is stored at all."""
        self.id = session_id
        self.tokens = ResumeTokens(saved.tokens if saved else b"")
        self.last_request_id = saved.last_request_id if saved else 0
        self._survives = survives
        self._forgotten_seq = 0

    def take_id(self, request_id: int) -> None:
        """Take the id of a request.

        Raises:
            RequestError: ``duplicate_request``, it does not count up.
        """
        if request_id <= self.last_request_id:
            raise error_for(
                ErrorCode.DUPLICATE_REQUEST,
                f"request id {request_id} is not greater than {self.last_request_id}, the last "
                f"one taken; count up within a session",
                field="id",
                value=str(request_id),
                limit=self.last_request_id,
            )
        self.last_request_id = request_id

    def opened(self) -> tuple[Write, ...]:
        """Return the writes for a session that was opened or resumed, with its new tokens."""
        return (self._row(),) if self._survives else ()

    def taken(self, request: int) -> tuple[Write, ...]:
        """Return the writes for a request that was taken, to be answered later."""
        if not self._survives:
            return ()
        return self._row(), OpenRequest(self.id, request)

    def answered(self, request: int, kept: Kept, acked_seq: int) -> tuple[Write, ...]:
        """Return the writes for an answer, when the client has all answers up to ``acked_seq``."""
        if not self._survives:
            return ()
        closed = CloseRequest(self.id, request)
        answer = PutAnswer(self.id, kept.seq, kept.frame)
        if acked_seq == self._forgotten_seq:
            return self._row(), closed, answer
        self._forgotten_seq = acked_seq
        return self._row(), closed, ForgetAnswers(self.id, acked_seq), answer

    def numbered(self, answers: Iterable[tuple[int, bytes]]) -> tuple[Write, ...]:
        """Return the writes for a session resumed after a restart: new numbers for all answers."""
        return (
            self._row(),
            CloseRequests(self.id),
            ForgetAnswers(self.id, MAX_INTEGER),
            *(PutAnswer(self.id, *answer) for answer in answers),
        )

    def ended(self) -> tuple[Write, ...]:
        """Return the writes for a session that is over for good."""
        return (EndSession(self.id),) if self._survives else ()

    def _row(self) -> Write:
        return PutSession(self.id, self.tokens.hashes, self.last_request_id)
