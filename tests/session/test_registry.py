"""Opening, resuming and ending sessions, with the time passed in."""

from __future__ import annotations

from typing import Any

import pytest
from session.links import RecordedLink
from session.test_connection import HELLO, registry

from callsheet.wire import CallsheetError, ErrorCode, Hello, Resume, Welcome
from callsheet.wire.errors import error_for
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.session.arrivals import ERRORS_AT_ONCE, ERRORS_PER_S
from callsheet_server.session.session import Session, SessionState


def hello(**changes: Any) -> Hello:
    return HELLO.model_copy(update=changes)


def resuming(session: Session, last_seq: int = 0, **changes: Any) -> Hello:
    resume = Resume(session=session.id, token=session.resume_token, last_seq=last_seq)
    return hello(resume=resume, **changes)


def test_welcome_brings_a_new_token_every_time() -> None:
    sessions, link, again = registry(), RecordedLink(), RecordedLink()
    session = sessions.open(HELLO, link, 0.0)
    first = session.resume_token
    assert sessions.open(resuming(session), again, 1.0) is session
    assert session.resume_token != first
    welcome = again.messages[0]
    assert isinstance(welcome, Welcome)
    assert (welcome.resumed, welcome.resume_token) == (True, session.resume_token)
    assert welcome.server_time_s == 1.0


def test_welcome_tells_every_limit_that_a_session_can_meet() -> None:
    link = RecordedLink()
    registry().open(HELLO, link, 0.0)
    welcome = link.messages[0]
    assert isinstance(welcome, Welcome)
    limits = LimitSettings().model_dump(exclude={"max_sessions", "max_worlds"})
    assert welcome.limits.model_dump() == limits


@pytest.mark.parametrize(
    "changes",
    [{"role": "mod"}, {"world": "other"}, {"resume": Resume(session="x", token="y", last_seq=0)}],
)
def test_only_the_same_role_world_and_token_resume(changes: dict[str, Any]) -> None:
    sessions, link = registry(), RecordedLink()
    session = sessions.open(hello(role="observer"), link, 0.0)
    changes = {"role": "observer", **changes}
    found = sessions.open(resuming(session).model_copy(update=changes), RecordedLink(), 1.0)
    assert found is not session
    assert session.state is SessionState.OPEN


@pytest.mark.parametrize("role", ["game", "mod", "observer"])
def test_every_role_has_its_token(role: str) -> None:
    sessions = registry(**{f"{role}_token": "sesame"})
    for token in (None, "", "Sesame", "sesame\x00"):
        with pytest.raises(CallsheetError) as raised:
            sessions.open(hello(role=role, token=token), RecordedLink(), 0.0)
        assert raised.value.code == ErrorCode.UNAUTHORIZED
    sessions.open(hello(role=role, token="sesame"), RecordedLink(), 0.0)
    assert len(sessions) == 1


def test_a_resume_needs_the_token_of_the_role_too() -> None:
    sessions, link = registry(game_token="sesame"), RecordedLink()
    session = sessions.open(hello(token="sesame"), link, 0.0)
    with pytest.raises(CallsheetError):
        sessions.open(resuming(session), RecordedLink(), 1.0)
    assert link.closed is None


def test_a_client_that_claims_what_was_never_sent_starts_anew() -> None:
    sessions, link = registry(), RecordedLink()
    session = sessions.open(HELLO, link, 0.0)
    claim = resuming(session)
    assert claim.resume is not None
    ahead = claim.resume.model_copy(update={"last_seq": 7})
    session.detach(link, 1006, 1.0)
    again = sessions.open(claim.model_copy(update={"resume": ahead}), RecordedLink(), 1.0)
    assert again is not session


def test_a_lost_session_is_kept_for_the_grace_period() -> None:
    sessions, link = registry(resume_grace_s=10, heartbeat_interval_s=300), RecordedLink()
    session = sessions.open(HELLO, link, 0.0)
    session.detach(link, 1006, 100.0)
    assert sessions.sweep(110.0) == []
    assert sessions.sweep(110.1) == [session]
    assert sessions.sweep(110.2) == []
    assert list(sessions) == []
    again = sessions.open(resuming(session), RecordedLink(), 111.0)
    assert again is not session


def test_the_grace_of_a_silent_session_begins_when_it_is_cut() -> None:
    sessions, link = registry(resume_grace_s=1, heartbeat_interval_s=5), RecordedLink()
    session = sessions.open(HELLO, link, 0.0)
    assert sessions.sweep(16.0) == []
    assert link.closed == (4006, "heartbeat_timeout")
    assert session.state is SessionState.DETACHED
    assert sessions.open(resuming(session), RecordedLink(), 16.5) is session


def test_a_session_that_said_bye_does_not_hold_its_world() -> None:
    sessions = registry()
    session = sessions.open(HELLO, RecordedLink(), 0.0)
    session.receive('{"type":"bye"}', 1.0)
    second = sessions.open(HELLO, RecordedLink(), 1.0)
    assert second is not session
    assert sessions.sweep(1.0) == [session]
    assert list(sessions) == [second]


def test_errors_count_for_the_sessions_that_are_opened_after_them() -> None:
    """Sessions that follow one closed for its errors, or that left before, begin in its debt."""
    sessions, observing = registry(), hello(role="observer", world="w")
    wrong = error_for(ErrorCode.BAD_VALUE, "wrong")
    resumable = sessions.open(observing, RecordedLink(), 0.0)
    for _ in range(int(ERRORS_AT_ONCE)):
        one = sessions.open(observing, RecordedLink(), 0.0)
        one.fail(wrong, 0.0)
        one.close(1000, "bye")
        sessions.sweep(0.0)
    with pytest.raises(CallsheetError, match="40 errors") as refused:
        sessions.open(observing, RecordedLink(), 0.0)
    assert refused.value.code is ErrorCode.LIMIT_EXCEEDED
    assert refused.value.retry_after_s == 1 / ERRORS_PER_S
    assert sessions.open(resuming(resumable, role="observer", world="w"), RecordedLink(), 0.0) is (
        resumable
    )
    for allowed, link, now_s in (
        (HELLO, RecordedLink(), 0.0),
        (observing, RecordedLink("192.0.2.2"), 0.0),
        (observing, RecordedLink(), 1.0),
    ):
        sessions.open(allowed, link, now_s)
        assert link.closed is None
