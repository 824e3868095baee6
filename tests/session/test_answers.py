"""Answers wait for the journal; what comes after them waits too."""

from __future__ import annotations

from collections.abc import Sequence

from session.links import RecordedLink
from session.test_session import WELCOME

from callsheet.wire import Error, ErrorCode, Ok, PlayerLeft, error_for
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.session.session import Session
from callsheet_server.storage.changes import Change
from callsheet_server.storage.writes import (
    CloseRequest,
    ForgetAnswers,
    PutAnswer,
    PutSession,
    Write,
)

EVENT = PlayerLeft(script="guard.py", npc="bob", player="ann")


class SlowJournal:
    """Keeps changes until the test says what became of them."""

    keeps = True

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.carried: list[Write] = []

    def submit(self, change: Change) -> None:
        self.changes.append(change)

    def carry(self, writes: Sequence[Write]) -> None:
        self.carried += writes


def opened() -> tuple[Session, RecordedLink, SlowJournal]:
    journal, link = SlowJournal(), RecordedLink()
    session = Session("s", "game", "w", LimitSettings(), 0.0, journal)
    session.attach(link, WELCOME, 0, 0.0)
    assert len(journal.changes) == 1  # Its tokens.
    link.frames.clear()
    journal.changes.clear()
    return session, link, journal


def test_an_answer_is_sent_when_it_is_durable_and_nothing_overtakes_it() -> None:
    session, link, journal = opened()
    session.answer(Ok(id=1), 1)
    session.answer(Ok(id=2), 2)
    session.send(EVENT)
    assert link.messages == []
    first, second = journal.changes
    assert [type(write) for write in first.writes] == [PutSession, CloseRequest, PutAnswer]
    second.done(None)
    assert link.messages == []
    first.done(None)
    assert link.seqs == [1, 2, 3]
    session.check_integrity()


def test_a_change_that_failed_is_answered_with_its_error_under_the_same_number() -> None:
    session, link, journal = opened()
    session.answer(Ok(id=1), 1)
    session.send(EVENT)
    journal.changes[0].failed(error_for(ErrorCode.STORAGE_FAILED, "full", retry_after_s=1.0))
    error = link.messages[0]
    assert isinstance(error, Error)
    assert (error.seq, error.id, error.code) == (1, 1, "storage_failed")
    assert link.seqs == [1, 2]
    assert len(journal.carried) == 3, "that it was answered is kept with the next change"
    session.check_integrity()


def test_a_resume_gets_no_answer_that_is_not_durable() -> None:
    session, link, journal = opened()
    session.send(EVENT)
    session.answer(Ok(id=1), 1)
    session.detach(link, 1006, 1.0)
    again = RecordedLink()
    session.attach(again, WELCOME, 0, 2.0)
    assert again.seqs == [1]
    journal.changes[0].done(None)
    assert again.seqs == [1, 2]


def test_what_the_client_has_is_forgotten_with_the_next_answer() -> None:
    session, _, journal = opened()
    for number in (1, 2):
        session.answer(Ok(id=number), number)
        journal.changes[-1].done(None)
        session.receive(f'{{"type":"ack","seq":{number}}}', 0.0)
    session.answer(Ok(id=3), 3)
    assert ForgetAnswers("s", 2) in journal.changes[-1].writes
