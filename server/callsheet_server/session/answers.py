"""The answers of a session: each is sent once what it tells of is durable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from callsheet.wire.base import Reliable
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet_server.session.record import SessionRecord
from callsheet_server.session.resend import Kept, ResendBuffer
from callsheet_server.storage.changes import Change, Journal

__all__ = ["Answers", "Instead"]

Instead = Callable[[CallsheetError], Reliable]
"""Function that makes the answer for when a change failed."""


class Answers:
    """Puts answers into the journal, with the changes they tell of."""

    def __init__(
        self,
        record: SessionRecord,
        replay: ResendBuffer,
        journal: Journal,
        flush: Callable[[], None],
        errors: Counter[ErrorCode],
    ) -> None:
        """``flush`` sends what may be sent; ``errors`` counts what clients are told of."""
        self._record = record
        self._replay = replay
        self._journal = journal
        self._flush = flush
        self._errors = errors

    def opened(self) -> None:
        """Save the session's new tokens."""
        self._journal.submit(Change(self._record.opened()))

    def take(self, request: int, change: Change) -> None:
        """Note a request that is answered later, so that a restart does not lose it."""
        change.writes = (*change.writes, *self._record.taken(request))
        self._journal.submit(change)

    def answer(self, kept: Kept | None, request: int, change: Change, instead: Instead) -> None:
        """Make a change and the answer durable together, then let the answer be sent.

        Args:
            kept: the answer, numbered and held; None = nobody is there to hear it.
            request: the id of the request.
            change: what the answer tells of.
            instead: makes what is sent if the change fails.
        """
        if kept is None:
            self._journal.submit(change)
            return
        done, failed = change.done, change.failed

        def answered(result: object) -> None:
            done(result)
            self._replay.release(kept)
            self._flush()

        def refused(error: CallsheetError) -> None:
            failed(error)
            error = error_for(error.code, error.message, retry_after_s=error.retry_after_s)
            error.request_id = request
            self._errors[error.code] += 1
            self._replay.release(kept, instead(error))
            self._journal.carry(self._record.answered(request, kept, self._replay.acked))
            self._flush()

        row = self._record.answered(request, kept, self._replay.acked)
        change.writes = (*change.writes, *row)
        change.done, change.failed = answered, refused
        self._journal.submit(change)

    def resume(
        self, last_seq: int, done: Callable[[], None], failed: Callable[[CallsheetError], None]
    ) -> None:
        """Number after a restart what the client has not; call ``done`` once that is durable.

        Args:
            last_seq: the last number the client has received.
            done: all that is kept follows on ``last_seq`` now.
            failed: nothing has changed; told the error.
        """

        def numbered(_: object) -> None:
            self._replay.number_from(last_seq)
            done()

        answers = self._replay.numbered_from(last_seq)
        self._journal.submit(Change(self._record.numbered(answers), done=numbered, failed=failed))
