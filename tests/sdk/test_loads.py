"""Ticks around a load: none of the world that was left reaches the one that is loaded."""

from __future__ import annotations

import pytest
from sdk.link import Link

from callsheet.core import memories
from callsheet.core.calls import Call
from callsheet.core.requests import Pending
from callsheet.core.world_state import world_state
from callsheet.wire.errors import CallsheetError, ErrorCode
from callsheet.wire.saves import Loaded
from callsheet.wire.session import Error
from callsheet.wire.tick import Tick, TickKind

AT = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]


def tick(link: Link, game_time_s: float) -> int:
    state = world_state(game_time_s, [0, 1], AT)
    return link.session.send_tick(state, keyframe=False, ack=False)


def sent_ticks(link: Link) -> list[tuple[TickKind, float, bool]]:
    ticks = [one for one in link.sent() if isinstance(one, Tick)]
    return [(one.kind, one.game_time_s, one.rewind) for one in ticks]


@pytest.fixture
def link() -> Link:
    """A session with a server of today that has had a tick, at 1,000 s."""
    link = Link()
    link.open(protocol="1.3")
    tick(link, 1000.0)
    link.sent()
    return link


def load(link: Link) -> tuple[Call[Loaded], Pending]:
    call = memories.load(link.session, "yesterday")
    return call, next(call)


def loaded(pending: Pending, seq: int = 1) -> Loaded:
    return Loaded(id=pending.id, seq=seq, name="yesterday", time_s=100.0)


def test_a_state_given_during_a_load_is_of_the_world_that_was_left(link: Link) -> None:
    call, pending = load(link)
    tick(link, 1001.0)
    assert sent_ticks(link) == []
    link.give(loaded(pending))
    with pytest.raises(StopIteration) as returned:
        next(call)
    assert returned.value.value.time_s == 100.0
    assert sent_ticks(link) == []
    tick(link, 100.5)
    tick(link, 101.0)
    assert sent_ticks(link) == [(TickKind.KEYFRAME, 100.5, True), (TickKind.DELTA, 101.0, False)]


def test_the_last_state_given_during_a_load_goes_out_if_it_is_refused(link: Link) -> None:
    call, pending = load(link)
    tick(link, 1001.0)
    tick(link, 1002.0)
    error = Error(id=pending.id, seq=1, code=ErrorCode.UNKNOWN_SAVE, message="no such save")
    link.give(error)
    with pytest.raises(CallsheetError, match="no such save"):
        next(call)
    assert sent_ticks(link) == [(TickKind.KEYFRAME, 1002.0, True)]
    tick(link, 1003.0)
    assert sent_ticks(link) == [(TickKind.DELTA, 1003.0, False)]


def test_a_load_that_is_refused_at_once_costs_no_tick(link: Link) -> None:
    _, pending = load(link)
    link.give(Error(id=pending.id, seq=1, code=ErrorCode.UNKNOWN_SAVE, message="no such save"))
    assert sent_ticks(link) == []
    tick(link, 1003.0)
    assert sent_ticks(link) == [(TickKind.DELTA, 1003.0, False)]


def test_a_load_outlives_the_connection(link: Link) -> None:
    _, pending = load(link)
    link.sent()
    link.lose()
    tick(link, 1001.0)
    link.open(protocol="1.3", resumed=True, last_request_id=pending.id)
    assert sent_ticks(link) == []
    link.give(loaded(pending))
    link.lose()
    link.open(protocol="1.3", resumed=True, last_request_id=pending.id)
    assert sent_ticks(link) == [], "there is no state of the loaded world yet"
    tick(link, 100.5)
    assert sent_ticks(link) == [(TickKind.KEYFRAME, 100.5, True)]


def test_two_loads_at_once_are_both_waited_for(link: Link) -> None:
    (_, first), (_, second) = load(link), load(link)
    link.give(loaded(first))
    tick(link, 1001.0)
    assert sent_ticks(link) == []
    link.give(loaded(second, seq=2))
    assert sent_ticks(link) == []
    tick(link, 100.5)
    assert sent_ticks(link) == [(TickKind.KEYFRAME, 100.5, True)]


def test_a_load_that_is_lost_with_its_session_holds_nothing_up(link: Link) -> None:
    load(link)
    link.lose(4008, "the server forgot the session")
    link.open(protocol="1.3", session="s2")
    tick(link, 5.0)
    assert sent_ticks(link) == [(TickKind.KEYFRAME, 5.0, True)]
