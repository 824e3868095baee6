"""The first frame of a connection, and what comes after it, without a socket."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session.links import SUMMARY, RecordedLink

from callsheet.wire import ClientInfo, CloseCode, Error, ErrorCode, Explain, Hello, encode
from callsheet_server.limits.settings import LimitSettings, QuotaSettings
from callsheet_server.session.connection import Connection
from callsheet_server.session.quota import QuotaBook
from callsheet_server.session.registry import SessionRegistry
from callsheet_server.session.session import SessionState
from callsheet_server.transport.settings import ServerSettings

HELLO = Hello(role="game", world="w", client=ClientInfo(name="tests", version="1"))


def registry(limits: LimitSettings | None = None, /, **server: Any) -> SessionRegistry:
    tokens = itertools.count()
    return SessionRegistry(
        ServerSettings(**server),
        limits or LimitSettings(),
        QuotaBook(QuotaSettings(), QuotaSettings()),
        lambda: SUMMARY,
        lambda: f"token{next(tokens)}",
    )


def connected(sessions: SessionRegistry) -> tuple[Connection, RecordedLink]:
    link = RecordedLink()
    return Connection(sessions, link), link


def text(message: Hello | Explain) -> str:
    return encode(message).decode()


def test_a_hello_opens_a_session_and_later_frames_go_to_it() -> None:
    connection, link = connected(registry())
    assert connection.receive(text(HELLO), 1.0) == HELLO
    assert [m.type for m in link.messages] == ["welcome"]
    explain = Explain(id=1, npc="bob")
    assert connection.receive(text(explain), 2.0) == explain


def test_what_follows_a_refusal_is_ignored() -> None:
    sessions = registry()
    connection, link = connected(sessions)
    assert connection.receive("{}", 1.0) is None
    assert link.closed == (CloseCode.PROTOCOL_ERROR, "hello_expected")
    assert connection.receive(text(HELLO), 1.0) is None
    connection.hello_timeout(5.0)
    connection.lost(1006, 2.0)
    assert len(link.frames) == 1
    assert len(sessions) == 0


@pytest.mark.parametrize(
    "frame",
    [
        '{"token": "hunter2"}',
        '{"type": {"token": "hunter2"}}',
        '{"type": "helo", "token": "hunter2"}',
        '["hunter2"]',
        '"hunter2"',
        "[" * 1000 + '"hunter2"' + "]" * 1000,
    ],
)
def test_a_first_frame_that_is_no_hello_is_not_told_back(frame: str) -> None:
    connection, link = connected(registry())
    assert connection.receive(frame, 1.0) is None
    assert link.closed == (CloseCode.PROTOCOL_ERROR, "hello_expected")
    assert not any("hunter2" in str(sent) for sent in link.frames)


def test_the_hello_timeout_ends_only_who_said_nothing() -> None:
    sessions = registry()
    quick, quick_link = connected(sessions)
    slow, slow_link = connected(sessions)
    quick.receive(text(HELLO), 1.0)
    quick.hello_timeout(5.0)
    slow.hello_timeout(5.0)
    assert quick_link.closed is None
    assert slow_link.closed == (CloseCode.HELLO_TIMEOUT, "hello_timeout")


def test_frames_of_a_connection_that_was_taken_over_are_ignored() -> None:
    sessions = registry()
    old, _ = connected(sessions)
    old.receive(text(HELLO), 1.0)
    session = old.session
    assert session is not None
    new, link = connected(sessions)
    resume = {"session": session.id, "token": session.resume_token, "last_seq": 0}
    hello = Hello.model_validate(HELLO.model_dump() | {"resume": resume})
    new.receive(text(hello), 2.0)
    assert new.session is session
    assert old.receive(text(Explain(id=9, npc="bob")), 3.0) is None
    assert session.last_request_id == 0
    old.lost(1006, 4.0)
    assert session.state is SessionState.OPEN
    assert link.closed is None


@given(
    frame=st.one_of(
        st.binary(max_size=50), st.text(max_size=50), st.from_regex(r'\{"type":"hello".*\}')
    )
)
def test_no_first_frame_raises(frame: str | bytes) -> None:
    connection, link = connected(registry())
    assert connection.receive(frame, 0.0) is None
    (error,) = link.messages
    assert isinstance(error, Error)
    assert error.code in (
        ErrorCode.HELLO_EXPECTED,
        ErrorCode.BAD_MESSAGE,
        ErrorCode.VERSION_MISMATCH,
    )
    assert link.closed is not None


@pytest.mark.parametrize("protocol", ["2", "2.0", "0.9", "2." + "9" * 5_000])
def test_whatever_stands_for_a_version_is_told_back_short(protocol: str) -> None:
    connection, link = connected(registry())
    connection.receive('{"type":"hello","protocol":"' + protocol + '"}', 0.0)
    (error,) = link.messages
    assert isinstance(error, Error)
    assert error.code == ErrorCode.VERSION_MISMATCH
    assert len(error.message) < 200


@pytest.mark.parametrize(
    ("hello", "field"),
    [
        ('{"type":"hello","role":"game","world":"w"}', "client"),
        ('{"type":"hello","protocol":"v1.0","role":"game","world":"w"}', "protocol"),
        ('{"type":"hello","protocol":"1","role":"game","world":"w"}', "protocol"),
        ('{"type":"hello","protocol":"' + "9" * 5_000 + '"}', "protocol"),
    ],
)
def test_a_malformed_hello_is_a_bad_message_that_names_the_field(hello: str, field: str) -> None:
    connection, link = connected(registry())
    connection.receive(hello, 0.0)
    (error,) = link.messages
    assert isinstance(error, Error)
    assert (error.code, error.field) == (ErrorCode.BAD_MESSAGE, field)
    assert len(error.message) < 300
    assert link.closed == (CloseCode.PROTOCOL_ERROR, "bad_message")
