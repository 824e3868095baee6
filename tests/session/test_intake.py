"""Text frames: charged, and refused for their role, type and size, before they are read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from session.test_session import last_error, opened

from callsheet.wire import CLIENT_MESSAGES, ErrorCode, Say, Speaker, parse_client_message
from callsheet.wire.fields import MAX_SPEECH_CHARS
from callsheet_server.limits.roles import ROLE_RATES
from callsheet_server.session import intake
from callsheet_server.session.frame_head import (
    FrameHead,
    limit_of_role_bytes,
    limit_of_type_bytes,
    read_head,
)
from callsheet_server.session.session import SessionState

MIB = 1_048_576


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that were parsed in full."""
    texts: list[str] = []
    parse = parse_client_message

    def spied(text: str) -> Any:
        texts.append(text)
        return parse(text)

    monkeypatch.setattr(intake, "parse_client_message", spied)
    return texts


def nested(size_bytes: int) -> str:
    return "[" + "[]," * (size_bytes // 3) + "1]"


def test_an_observers_large_message_is_not_read(read: list[str]) -> None:
    session, link = opened("observer")
    join = f'{{"type":"join","id":1,"position":[0,0,0],"name":{nested(MIB - 100)}}}'
    assert session.receive(join, 0.0) is None
    error = last_error(link)
    assert (error.code, error.limit) == (
        ErrorCode.MESSAGE_TOO_LARGE,
        limit_of_role_bytes("observer"),
    )
    assert (session.state, read) == (SessionState.CLOSED, [])


@pytest.mark.parametrize("first", ["type", "id"])
@pytest.mark.parametrize(
    ("name", "code"),
    [("explain", ErrorCode.MESSAGE_TOO_LARGE), ("register_script", ErrorCode.FORBIDDEN)],
)
def test_type_and_role_are_judged_unread(
    first: str, name: str, code: ErrorCode, read: list[str]
) -> None:
    session, link = opened("game")
    fields = {"id": 7, "npc": [[]] * 30_000, "type": name}
    message = {first: fields[first]} | fields
    assert session.receive(json.dumps(message), 0.0) is None
    assert (last_error(link).code, last_error(link).id, read) == (code, 7, [])


def test_a_message_past_its_quota_is_not_read(read: list[str]) -> None:
    session, link = opened("game", max_messages_per_s=1)
    for number in range(1, 5):
        session.receive(f'{{"type":"explain","id":{number},"npc":"bob"}}', 0.0)
    assert len(read) == 2
    assert (last_error(link).code, last_error(link).id) == (ErrorCode.LIMIT_EXCEEDED, 4)
    assert session.last_request_id == 4


def test_what_is_no_message_counts_as_one() -> None:
    session, link = opened("game", max_messages_per_s=1)
    for text in ("{", "[]", '{"type":"nothing"}'):
        session.receive(text, 0.0)
    assert last_error(link).code == ErrorCode.LIMIT_EXCEEDED


def test_errors_count_for_what_was_read_in_vain() -> None:
    session, link = opened("game")
    bad = f'{{"type":"spawn","id":1,"npcs":{nested(200_000)}}}'
    session.receive(bad, 0.0)
    assert session.state is SessionState.OPEN
    session.receive('{"type":"explain","id":2}', 0.0)
    session.receive(bad, 0.0)
    assert last_error(link).code == ErrorCode.FLOODING


def test_a_message_is_what_it_says_first() -> None:
    session, link = opened("game")
    session.receive('{"type":"tick","type":"bye"}', 0.0)
    assert (last_error(link).code, last_error(link).field) == (ErrorCode.BAD_MESSAGE, "type")
    assert session.state is SessionState.OPEN


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ('{"type":"say","id":12,"npc":"bob"}', FrameHead("say", 12)),
        (' {\n"type" : "say" ,\t"id": 12}', FrameHead("say", 12)),
        ('{"type":"ping","client_time_s":1}', FrameHead("ping", None)),
        ('{"id":3,"a":{"type":"x"},"type":"say"}', FrameHead("say", 3)),
        ('{"id":true,"type":"say"}', FrameHead("say", None)),
        ('{"type":"say","id":12.0,"npc":"bob"}', FrameHead("say", 12)),
        ('{"type":"say", "id":1.2e1}', FrameHead("say", 12)),
        ('{"id":12.0,"type":"say"}', FrameHead("say", 12)),
        ('{"type":"say","id":12.5}', FrameHead("say", None)),
        ('{"type":"say","id":-1,"npc":"bob"}', FrameHead("say", None)),
        ('{"type":"say","id":9007199254740992}', FrameHead("say", None)),
        ('{"type":5,"id":3}', FrameHead(None, None)),
        ('{"type":"say', FrameHead(None, None)),
        ("[1]", FrameHead(None, None)),
        ("[" * 100_000, FrameHead(None, None)),
    ],
)
def test_a_head_is_found_wherever_it_stands(text: str, head: FrameHead) -> None:
    assert read_head(text) == head


def test_the_longest_message_fits_however_it_is_written() -> None:
    text = "\U0001f600" * MAX_SPEECH_CHARS
    stop = tuple("\U0001f600" * 100 for _ in range(8))
    speaker = Speaker(kind="player", id="p" * 64, name="\U0001f600" * 100)
    say = Say(id=2**53 - 1, npc="n" * 64, speaker=speaker, text=text, stop=stop)
    written = json.dumps(say.model_dump(exclude_none=True), indent=8, ensure_ascii=True)
    limit_bytes = limit_of_type_bytes("say")
    assert limit_bytes is not None
    assert limit_bytes / 4 < len(written) <= limit_bytes
    assert opened("game")[0].receive(written, 0.0) == say


def test_observers_have_limits_for_all_they_may_send() -> None:
    names = [n for n, m in CLIENT_MESSAGES.items() if "observer" in m.roles and n != "hello"]
    assert all(limit_of_type_bytes(name) for name in names)
    assert ROLE_RATES["observer"].bytes_per_s * 2 >= (limit_of_role_bytes("observer") or MIB)
