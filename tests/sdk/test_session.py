from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdk.link import Link, welcome

from callsheet.core import batches, calls
from callsheet.core.batches import Handles
from callsheet.core.calls import Call
from callsheet.core.errors import (
    ConnectFailedError,
    EventOverflowError,
    SessionClosedError,
    SessionLostError,
)
from callsheet.core.events import EventFeed, SessionReset, SessionState, StateChanged
from callsheet.core.world_state import world_state
from callsheet.wire.errors import (
    AuthError,
    CallsheetError,
    ErrorCode,
    SessionError,
    VersionError,
    WorldError,
)
from callsheet.wire.session import Draining, EngineProgress, Error, Ok, Pong
from callsheet.wire.talk import Action, ReplyDelta, ReplyEnd, ReplyStart, Say, Speaker
from callsheet.wire.tick import Tick, TickKind
from callsheet.wire.world import Despawn, NpcSpec, Spawned, SpawnedNpc, TickAck


def despawn(link: Link, npc: str = "bram") -> Despawn:
    return Despawn(id=link.session.next_id(), npcs=(npc,))


def say(link: Link) -> Say:
    return Say(
        id=link.session.next_id(), npc="bram", speaker=Speaker(kind="narrator"), text="Hello"
    )


def tick(link: Link, game_time_s: float, x: float = 0.0) -> int:
    at = [[x, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
    return link.session.send_tick(
        world_state(game_time_s, [0, 1, 2], at), keyframe=False, ack=False
    )


def reset(link: Link) -> bool:
    return any(isinstance(event, SessionReset) for event in link.told)


def test_hello_then_open() -> None:
    link = Link()
    hello = link.open()
    assert (hello["type"], hello["role"], hello["world"]) == ("hello", "game", "town")
    assert "resume" not in hello
    states = [event.state for event in link.told if isinstance(event, StateChanged)]
    assert states == [SessionState.CONNECTING, SessionState.OPENING, SessionState.OPEN]
    assert not reset(link)


def test_answers_find_their_requests() -> None:
    link = Link()
    link.open()
    first, second = link.session.request(despawn(link)), link.session.request(despawn(link))
    assert [one["id"] for one in link.sent()] == [first.id, second.id]
    link.give(
        Error(
            seq=1,
            id=second.id,
            code="unknown_npc",
            message="no NPC 'bram'",
            field="npcs",
            value="x",
        )
    )
    link.give(Ok(seq=2, id=first.id))
    assert first.result() == Ok(seq=2, id=first.id)
    with pytest.raises(WorldError, match="no NPC 'bram'") as caught:
        second.result()
    assert (caught.value.code, caught.value.field) == (ErrorCode.UNKNOWN_NPC, "npcs")


def test_a_code_from_a_newer_server_counts_as_internal() -> None:
    link = Link()
    link.open()
    request = link.session.request(despawn(link))
    link.give(Error(seq=1, id=request.id, code="out_of_mana", message="no mana"))
    with pytest.raises(SessionError, match="no mana"):
        request.result()


def test_a_reply_grows_and_ends() -> None:
    link = Link()
    link.open()
    reply = link.session.request_reply(say(link))
    changes: list[bool] = []
    reply.changed = lambda: changes.append(reply.done)
    speaker = Speaker(kind="narrator")
    link.give(ReplyStart(seq=1, id=reply.id, reply=7, npc="bram", speaker=speaker, heard="Hello"))
    link.give(ReplyDelta(seq=2, id=reply.id, reply=7, text="Good "))
    link.give(ReplyDelta(seq=3, id=reply.id, reply=7, text="day"))
    link.give(Action(seq=4, id=reply.id, reply=7, action=1, npc="bram", name="nod", arguments={}))
    link.give(
        ReplyEnd(seq=5, id=reply.id, reply=7, npc="bram", text="Good day", finish_reason="stop")
    )
    assert changes == [False] * 4 + [True]
    assert (reply.deltas, reply.actions[0].name) == (["Good ", "day"], "nod")
    link.session.cancel(reply)
    assert "cancel" not in link.sent_types()


def test_cancel_is_sent_once() -> None:
    link = Link()
    link.open()
    reply = link.session.request_reply(say(link))
    link.session.cancel(reply)
    link.session.cancel(reply)
    assert link.sent_types().count("cancel") == 1


def test_cancel_is_sent_again_after_a_resume() -> None:
    link = Link()
    link.open()
    reply = link.session.request_reply(say(link))
    link.session.cancel(reply)
    link.sent()
    link.lose()
    link.open(resumed=True, last_request_id=reply.id)
    assert [one["id"] for one in link.sent() if one["type"] == "cancel"] == [reply.id]


def test_an_ack_never_comes_before_hello() -> None:
    link = Link()
    link.open()
    link.give(Ok(seq=1, id=999))
    link.wait(0.999)
    link.now_s += 1.0
    link.give(Ok(seq=5, id=999))
    assert link.state() is SessionState.DISCONNECTED
    assert link.open(resumed=True)["type"] == "hello"


def test_a_socket_that_opens_after_close_is_not_used() -> None:
    link = Link()
    link.session.start(link.now_s)
    link.session.close(link.now_s)
    link.session.connected(link.now_s)
    assert (link.state(), link.sent()) == (SessionState.CLOSED, [])


def test_acks_every_32_messages() -> None:
    link = Link()
    link.open()
    for seq in range(1, 65):
        link.give(Ok(seq=seq, id=999))
    assert [one["seq"] for one in link.sent() if one["type"] == "ack"] == [32, 64]


def test_acks_after_a_second() -> None:
    link = Link()
    link.open()
    link.give(Ok(seq=1, id=999))
    link.wait(0.9)
    assert "ack" not in link.sent_types()
    link.wait(0.2)
    assert [one["seq"] for one in link.sent() if one["type"] == "ack"] == [1]


def test_resume_sends_untaken_requests_again_and_drops_replayed_messages() -> None:
    link = Link()
    link.open()
    taken, untaken = link.session.request(despawn(link)), link.session.request(despawn(link))
    link.sent()
    link.give(Ok(seq=1, id=999))
    link.lose()
    unsent = link.session.request(despawn(link))
    assert link.sent() == []
    hello = link.open(resumed=True, resume_token="t2", last_request_id=taken.id)
    assert hello["resume"] == {"session": "s1", "token": "t1", "last_seq": 1}
    assert [one["id"] for one in link.sent() if one["type"] == "despawn"] == [untaken.id, unsent.id]
    before = len(link.told)
    link.give(Ok(seq=1, id=999))
    assert len(link.told) == before, "a replayed message was told twice"
    link.give(Ok(seq=2, id=taken.id))
    assert taken.done
    assert not reset(link)
    link.lose()
    assert link.open(resumed=True)["resume"]["token"] == "t2"


def test_a_session_that_cannot_be_resumed_fails_what_was_open() -> None:
    link = Link()
    link.open()
    link.give(Ok(seq=1, id=999))
    sent = link.session.request(despawn(link))
    link.sent()
    link.lose()
    waiting = link.session.request_reply(say(link))
    tick(link, 1.0)
    link.open(session="s2")
    for request in (sent, waiting):
        with pytest.raises(SessionLostError):
            request.result()
    assert reset(link)
    assert link.sent_types() == [], "something of the old session was sent in the new one"
    link.give(Ok(seq=1, id=999))
    later = link.session.request(despawn(link))
    assert later.id > waiting.id
    link.give(Ok(seq=2, id=later.id))
    assert later.done


def test_a_missing_message_makes_it_resume() -> None:
    link = Link()
    link.open()
    link.give(Ok(seq=1, id=999))
    link.give(Ok(seq=3, id=999))
    assert link.state() is SessionState.DISCONNECTED
    assert link.open(resumed=True)["resume"]["last_seq"] == 1


def test_unknown_messages_are_ignored_but_counted() -> None:
    link = Link()
    link.open()
    link.give({"type": "weather", "seq": 1, "rain": True})
    link.give({"type": "fog"})
    link.session.receive("not json", link.now_s)
    link.session.receive(b"\xff\x00", link.now_s)
    link.give({"type": "ok", "seq": 2, "id": 5, "new_field": 1})
    assert link.state() is SessionState.OPEN
    assert link.told[-1] == Ok(seq=2, id=5)


def test_silence_is_noticed_and_resumed() -> None:
    link = Link()
    link.open()
    link.wait(14.9)
    assert link.state() is SessionState.OPEN
    assert link.sent_types().count("ping") == 3
    link.wait(0.2)
    assert link.state() is SessionState.DISCONNECTED
    assert "silent" in [e for e in link.told if isinstance(e, StateChanged)][-1].reason
    assert link.open(resumed=True)["resume"]


def test_a_slow_server_is_alive() -> None:
    link = Link()
    link.open()
    for _ in range(10):
        link.wait(14.0)
        link.give(Pong(client_time_s=link.now_s - 13.0, server_time_s=0.0))
    assert link.state() is SessionState.OPEN


@pytest.mark.parametrize("connects", [True, False])
def test_a_server_that_never_answers_is_given_up(connects: bool) -> None:
    link = Link(open_timeout_s=2.0, connect_timeout_s=7.0, random=0.0)
    link.session.start(link.now_s)
    while link.state() is not SessionState.CLOSED:
        if connects and link.state() is SessionState.CONNECTING:
            link.session.connected(link.now_s)
        link.step()
    assert 107.0 <= link.now_s < 107.0 + 2.0
    with pytest.raises(ConnectFailedError, match=r"within 7 s .*no welcome within 2 s.*serve"):
        link.session.check_open()


def test_a_server_that_tells_of_its_engine_is_waited_for() -> None:
    link = Link(open_timeout_s=2.0, connect_timeout_s=7.0)
    link.session.start(link.now_s)
    link.session.connected(link.now_s)
    progress = EngineProgress(phase="download", done_bytes=1, total_bytes=9)
    for _ in range(20):
        link.wait(1.5)
        link.give(progress)
    assert link.state() is SessionState.OPENING
    assert link.told.count(progress) == 20
    link.wait(2.5)
    assert link.state() is not SessionState.OPENING


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 12))
def test_backoff_grows_within_its_bounds(random: float, attempts: int) -> None:
    link = Link(random=random)
    link.open()
    for attempt in range(attempts):
        link.lose()
        changed = link.told[-1]
        assert isinstance(changed, StateChanged)
        assert changed.retry_in_s == random * min(0.1 * 2**attempt, 5.0)
        assert link.session.next_deadline_s == link.now_s + (changed.retry_in_s or 0.0)
        link.step()


def test_backoff_begins_anew_after_a_connection_that_lived() -> None:
    link = Link(random=1.0)
    link.open()
    link.lose()
    link.step()
    link.lose(None, "refused")
    link.open(resumed=True)
    link.wait(6.0)
    link.give(Pong(client_time_s=link.now_s, server_time_s=0.0))
    link.lose()
    assert link.session.next_deadline_s == link.now_s + 0.1


def test_it_can_be_told_to_give_up() -> None:
    link = Link(max_offline_s=1.0, random=0.9)
    link.open()
    link.lose()
    while link.state() is not SessionState.CLOSED:
        link.step()
        link.lose(None, "connection refused")
    with pytest.raises(ConnectFailedError, match="connection refused"):
        link.session.request(despawn(link))


def test_draining_refuses_new_requests_and_reconnects_when_told() -> None:
    link = Link(random=0.0)
    link.open()
    open_reply = link.session.request_reply(say(link))
    link.give(Draining(deadline_s=3.0, reconnect_after_s=8.0))
    assert link.state() is SessionState.DRAINING
    with pytest.raises(SessionError) as caught:
        link.session.request(despawn(link))
    assert (caught.value.code, caught.value.retry_after_s) == (ErrorCode.DRAINING, 8.0)
    assert not open_reply.done
    link.now_s += 3.0
    link.lose(4010, "the server stops")
    with pytest.raises(SessionLostError):
        open_reply.result()
    assert link.session.next_deadline_s == link.now_s + 5.0
    assert "resume" not in link.open(session="s2")
    assert reset(link)
    link.session.request(despawn(link))


@pytest.mark.parametrize(
    ("code", "close_code", "raises"),
    [
        ("unauthorized", 4001, AuthError),
        ("version_mismatch", 4002, VersionError),
        ("world_taken", 4005, WorldError),
        ("superseded", 4007, SessionError),
        ("flooding", 4009, SessionError),
        ("message_too_large", 1009, CallsheetError),
    ],
)
@pytest.mark.parametrize("with_message", [True, False])
def test_a_final_close_code_ends_it(
    code: str, close_code: int, raises: type[CallsheetError], with_message: bool
) -> None:
    link = Link()
    link.open()
    request = link.session.request(despawn(link))
    if with_message:
        link.give(Error(code=code, message="go away"))
    link.lose(close_code, "go away")
    assert link.state() is SessionState.CLOSED
    assert link.session.next_deadline_s is None
    for failed in (request.result, lambda: link.session.request(despawn(link))):
        with pytest.raises(raises, match="go away") as caught:
            failed()
        assert caught.value.code == code


@pytest.mark.parametrize("close_code", [4004, 4008, 4010])
def test_other_ends_are_followed_by_a_new_session(close_code: int) -> None:
    link = Link()
    link.open()
    request = link.session.request(despawn(link))
    link.lose(close_code)
    with pytest.raises(SessionLostError):
        request.result()
    assert "resume" not in link.open(session="s2")
    assert link.told[-1] == SessionReset("s2")


@pytest.mark.parametrize("close_code", [None, 1001, 1005, 1006, 1011, 1012, 4006, 4011])
def test_other_close_codes_are_resumed(close_code: int | None) -> None:
    link = Link()
    link.open()
    link.lose(close_code)
    assert "resume" in link.open(resumed=True)


def test_a_world_that_is_taken_for_the_moment_is_tried_again() -> None:
    link = Link(random=0.0)
    link.session.start(link.now_s)
    link.session.connected(link.now_s)
    link.give(Error(code="world_taken", message="one game per world", retry_after_s=4.0))
    link.lose(4005)
    assert link.session.next_deadline_s == link.now_s + 4.0
    link.open()


def test_another_major_version_names_the_side_to_upgrade() -> None:
    link = Link()
    link.session.start(link.now_s)
    link.session.connected(link.now_s)
    link.give(welcome(protocol="2.3"))
    assert link.state() is SessionState.CLOSED
    with pytest.raises(VersionError, match=r"server speaks callsheet 2\.3.*upgrade this client"):
        link.session.check_open()


def test_close_sends_what_waits_and_then_bye() -> None:
    link = Link()
    link.open()
    request = link.session.request(despawn(link))
    reply = link.session.request_reply(say(link))
    link.session.cancel(reply)
    link.session.close(link.now_s)
    assert link.sent_types()[-2:] == ["cancel", "bye"]
    for failed in (request.result, reply.result, lambda: tick(link, 1.0)):
        with pytest.raises(SessionClosedError):
            failed()
    link.lose(1000)
    assert link.state() is SessionState.CLOSED
    assert link.session.error is None


def test_close_does_not_wait_for_ever() -> None:
    link = Link(close_timeout_s=2.0)
    link.open()
    link.session.close(link.now_s)
    link.wait(2.1)
    assert link.state() is SessionState.CLOSED


def test_close_without_a_connection_is_at_once() -> None:
    link = Link()
    link.open()
    link.lose()
    link.session.close(link.now_s)
    assert link.state() is SessionState.CLOSED


def test_clock_offset_trusts_the_fastest_pong() -> None:
    link = Link()
    link.open()
    for delay_s in (0.4, 0.02, 0.9):
        sent_s = link.now_s
        link.now_s += delay_s
        # The server's clock is 1,000 s ahead; all of the delay is on the way back.
        link.give(Pong(client_time_s=sent_s, server_time_s=sent_s + 1000.0))
    assert link.session.clock.offset_s == pytest.approx(1000.0 - 0.01)
    assert link.session.clock.round_trip_s == pytest.approx(0.02)


def test_ticks_keyframe_first_and_after_a_resume() -> None:
    link = Link()
    link.open()
    assert tick(link, 1.0) == 0
    tick(link, 2.0, x=5.0)
    first, second = link.sent()
    assert (first.kind, second.kind) == (TickKind.KEYFRAME, TickKind.DELTA)
    assert list(second.npcs["handle"]) == [0]
    link.lose()
    link.open(resumed=True)
    (again,) = link.sent()
    assert (again.kind, len(again.npcs), again.game_time_s) == (TickKind.KEYFRAME, 3, 2.0)
    tick(link, 3.0, x=6.0)
    (third,) = link.sent()
    assert (third.kind, third.tick) == (TickKind.DELTA, again.tick + 1)


def test_of_ticks_without_a_connection_the_last_is_sent() -> None:
    link = Link()
    link.open()
    tick(link, 1.0)
    link.lose()
    tick(link, 2.0, x=1.0)
    tick(link, 3.0, x=2.0)
    link.open(resumed=True)
    (held,) = [one for one in link.sent() if isinstance(one, Tick)]
    assert (held.kind, held.game_time_s) == (TickKind.KEYFRAME, 3.0)
    assert held.npcs["position"][0, 0] == 2.0
    tick(link, 4.0, x=3.0)
    (after,) = link.sent()
    assert (after.kind, after.tick > held.tick) == (TickKind.DELTA, True)


def test_room_is_bounded() -> None:
    link = Link(max_queued_messages=2)
    link.open()
    room = []
    for _ in range(2):
        link.session.request(despawn(link))
        room.append(link.session.has_room)
    link.sent()
    assert [*room, link.session.has_room] == [True, False, True]


def test_spawn_goes_in_parts_by_count_and_size() -> None:
    link = Link()
    link.open()
    # By the limits of ``welcome`` a message holds three NPCs and 100,000 bytes: "世" is three.
    npcs = [NpcSpec(npc=f"n{i}", name="N", persona="世" * 16_000 * (i > 2)) for i in range(7)]
    parts: list[list[str]] = []
    returned: list[Handles] = []

    def spawn() -> Call[None]:
        returned.append((yield from batches.spawn(link.session, npcs, [])))

    for pending in spawn():
        (message,) = link.sent()
        parts.append([one["npc"] for one in message["npcs"]])
        answer = tuple(SpawnedNpc(npc=n, handle=int(n[1:])) for n in parts[-1])
        link.give(Spawned(seq=len(parts), id=pending.id, npcs=answer))
    assert parts == [["n0", "n1", "n2"], ["n3", "n4"], ["n5", "n6"]]
    assert returned == [Handles({f"n{i}": i for i in range(7)})]


def test_unreliable_events_are_told() -> None:
    link = Link()
    link.open()
    link.give(TickAck(tick=3, game_time_s=1.0))
    assert link.told[-1] == TickAck(tick=3, game_time_s=1.0)


@pytest.mark.parametrize("url", ["127.0.0.1:8765", "http://x", "ws://", ""])
def test_a_wrong_url_is_named(url: str) -> None:
    with pytest.raises(ValueError, match=r"url: .* is not like ws://127\.0\.0\.1:8765"):
        calls.new_session(url, "game", "town", None, "test", None)


@given(st.data())
def test_every_request_ends_exactly_once_whatever_the_connection_does(data: st.DataObject) -> None:
    """A server that takes requests in order, loses connections, and replays what was not seen."""
    link = Link(random=0.0)
    link.open()
    taken: list[int] = []
    said: list[Ok] = []
    ends = Counter[int]()
    asked = []
    delivered = 0

    def server_reads(some: int) -> None:
        for _ in range(some):
            frame = link.session.next_frame()
            if frame is not None and '"despawn"' in str(frame):
                identity = int(str(frame).split('"id":')[1].split(",")[0])
                assert identity > max(taken, default=0), "an id did not increase"
                taken.append(identity)
                said.append(Ok(seq=len(said) + 1, id=identity))

    for step in data.draw(st.lists(st.sampled_from(["ask", "read", "write", "lose"]), max_size=40)):
        if step == "ask":
            request = link.session.request(despawn(link))
            request.changed = partial(ends.update, [request.id])
            asked.append(request)
        elif step == "read":
            server_reads(data.draw(st.integers(1, 3)))
        elif step == "write" and delivered < len(said):
            link.give(said[delivered])
            delivered += 1
        elif step == "lose":
            link.lose()
            hello = link.open(resumed=True, last_request_id=max(taken, default=0))
            delivered = data.draw(st.integers(0, hello["resume"]["last_seq"]))
    server_reads(200)
    for message in said[delivered:]:
        link.give(message)
    assert ends == Counter(request.id for request in asked)
    assert taken == [request.id for request in asked]


def test_a_listener_that_raises_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    link = Link()
    link.open()

    def fail(event: TickAck) -> None:
        raise RuntimeError("my mistake")

    link.session.events.on((TickAck,), fail)
    seen: list[TickAck] = []
    off = link.session.events.on((TickAck,), seen.append)
    link.give(TickAck(tick=1, game_time_s=1.0))
    off()
    link.give(TickAck(tick=2, game_time_s=1.0))
    assert [one.tick for one in seen] == [1]
    assert "my mistake" in caplog.text


def test_events_read_too_slowly_are_an_error() -> None:
    link = Link()
    link.open()
    with EventFeed(link.session.events, (TickAck,), max_queued=2) as feed:
        for tick_number in (1, 2):
            link.give(TickAck(tick=tick_number, game_time_s=1.0))
        assert feed.take().tick == 1
        for tick_number in (3, 4):
            link.give(TickAck(tick=tick_number, game_time_s=1.0))
        with pytest.raises(EventOverflowError, match="max_queued_events"):
            feed.take()
        link.session.abort(RuntimeError("over"))
        assert feed.ended
