"""Quotas: with the time passed in, nobody gets more than all of theirs allow."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.wire import CallsheetError, ErrorCode, Role
from callsheet_server.limits.roles import ROLE_RATES, SHARED_SESSIONS, of_role
from callsheet_server.limits.settings import LimitSettings, QuotaSettings
from callsheet_server.session.quota import BURST_S, Quota, QuotaBook, Quotas
from callsheet_server.transport.access_tokens import AccessToken

TOKEN = AccessToken("studio", "game", "x" * 16)


def quota(**limits: float) -> Quota:
    return Quota("session", "this session", LimitSettings.model_validate(limits), 0.0)


def book(token: dict[str, float] | None = None, world: dict[str, float] | None = None) -> QuotaBook:
    of = QuotaSettings.model_validate
    return QuotaBook(of(token or {}), of(world or {}))


def test_a_refusal_names_whose_quota_and_when_to_come_back() -> None:
    quotas = book(token={"max_messages_per_s": 1}).of(quota(), "game", "town", TOKEN, "", 0.0)
    assert [quotas.take_message(0.0) for _ in range(2)] == [None, None]
    refusal = quotas.take_message(0.25)
    assert refusal is not None
    assert (refusal.code, refusal.limit) == (ErrorCode.LIMIT_EXCEEDED, 1)
    assert refusal.message == "more than 1 messages a second of token 'studio'"
    assert refusal.retry_after_s == 0.75
    assert quotas.take_message(1.0) is None


def test_what_one_quota_refuses_no_other_counts() -> None:
    own = quota(max_messages_per_s=1)
    quotas = book(token={"max_messages_per_s": 0.5}).of(own, "game", "town", TOKEN, "", 0.0)
    assert quotas.take_message(0.0) is None
    assert quotas.take_message(0.0) is not None
    assert own.buckets["messages"].take(0.0) == 0


def test_sessions_of_a_token_share_its_quota_and_worlds_do_not() -> None:
    shared = book(token={"max_messages_per_s": 1})
    one = shared.of(quota(), "game", "town", TOKEN, "", 0.0)
    two = shared.of(quota(), "game", "village", TOKEN, "", 0.0)
    assert one.take_message(0.0) is None
    assert two.take_message(0.0) is None
    assert two.take_message(0.0) is not None
    assert shared.refusals == Counter({("token", "messages"): 1})
    other = shared.of(quota(), "game", "city", None, "", 0.0)
    assert all(other.take_message(0.0) is None for _ in range(10))


def test_observers_cannot_use_up_what_the_game_needs_to_tick() -> None:
    shared = book(world={"max_messages_per_s": 1, "max_bytes_per_s": 1024})
    game = shared.of(quota(), "game", "town", None, "", 0.0)
    observer = shared.of(quota(), "observer", "town", None, "", 0.0)
    while observer.take_bytes(1024, 0.0) is None and observer.take_message(0.0) is None:
        pass
    for _ in range(100):
        assert game.take_bytes(100_000, 0.0) is None
        assert game.take_message(0.0) is None


def test_open_replies_are_given_back() -> None:
    shared = book(world={"max_open_requests": 2})
    one, two = (shared.of(quota(), "mod", "town", None, "", 0.0) for _ in range(2))
    leases = [one.open_reply(10, 0.0), two.open_reply(10, 0.0)]
    with pytest.raises(CallsheetError, match="more than 2 open replies of world 'town'") as raised:
        one.open_reply(10, 0.0)
    assert raised.value.retry_after_s
    leases.pop().close(5)
    one.open_reply(10, 0.0).close(0)


def test_what_a_reply_did_not_say_is_given_back_and_what_it_said_too_much_is_owed() -> None:
    quotas = Quotas([], [quota(max_generated_tokens_per_min=100)], Counter())
    quotas.open_reply(100, 0.0).close(10)
    quotas.open_reply(90, 0.0).close(120)
    with pytest.raises(CallsheetError) as raised:
        quotas.open_reply(10, 0.0)
    assert raised.value.retry_after_s == pytest.approx(24.0)  # 30 owed + 10 wanted, 100 a minute
    quotas.open_reply(10, 24.1)


def test_a_used_quota_outlives_its_sessions() -> None:
    shared = book(world={"max_messages_per_s": 1})
    quotas = shared.of(quota(), "mod", "town", None, "", 0.0)
    assert [quotas.take_message(0.0) for _ in range(2)] == [None, None]
    shared.forget_unused(0.5, set())
    assert shared.of(quota(), "mod", "town", None, "", 0.5).take_message(0.5) is not None
    shared.forget_unused(10.0, {("world", "town")})
    assert len(shared._quotas) == 1
    shared.forget_unused(10.0, set())
    assert not shared._quotas


@given(
    rates=st.lists(st.integers(1024, 10**6), min_size=1, max_size=3),
    frames=st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 5)), max_size=100),
)
def test_bytes_stay_within_the_least_rate(
    rates: list[int], frames: list[tuple[int, float]]
) -> None:
    quotas = Quotas([quota(max_bytes_per_s=rate) for rate in rates], [], Counter())
    now_s, taken, largest = 0.0, 0, 0
    for size_bytes, step_s in frames:
        now_s += step_s
        refusal = quotas.take_bytes(size_bytes, now_s)
        if refusal is None:
            taken += size_bytes
            largest = max(largest, size_bytes)
        else:
            assert refusal.retry_after_s is not None
            assert refusal.retry_after_s > 0
        # One frame may overdraw, then the rate makes good for it.
        assert taken <= min(rates) * (BURST_S + now_s) + largest + 1


@given(
    limit=st.integers(1, 5),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 300)), max_size=80),
)
def test_never_more_replies_open_than_allowed_and_every_lease_comes_back(
    limit: int, steps: list[tuple[bool, int, int]]
) -> None:
    own = quota(max_open_requests=limit)
    quotas = Quotas([], [own], Counter())
    leases = []
    for opens, which, tokens in steps:
        if opens:
            with suppress(CallsheetError):
                leases.append(quotas.open_reply(tokens, 0.0))
        elif leases:
            leases.pop(which % len(leases)).close(tokens)
        assert own.open_requests == len(leases) <= limit


def test_a_role_at_an_address_shares_a_quota_whatever_its_sessions() -> None:
    shared = book()
    at = [
        shared.of(quota(), "observer", f"w{number}", None, "192.0.2.1", 0.0) for number in range(9)
    ]
    size_bytes = ROLE_RATES["observer"].bytes_per_s
    taken = sum(one.take_bytes(size_bytes, 0.0) is None for one in at)
    assert taken == SHARED_SESSIONS * BURST_S
    refusal = at[0].take_bytes(size_bytes, 0.0)
    assert refusal is not None
    assert refusal.message.endswith("bytes a second of observers at 192.0.2.1")
    assert shared.of(quota(), "observer", "w", None, "192.0.2.2", 0.0).take_bytes(1, 0.0) is None
    roles: tuple[Role, ...] = ("game", "mod")
    for role in roles:
        assert shared.of(quota(), role, "w", None, "192.0.2.1", 0.0).take_bytes(1, 0.0) is None


def test_mods_and_observers_may_send_less_than_games() -> None:
    limits = LimitSettings(max_bytes_per_s=100_000)
    assert of_role(limits, "game") == limits
    assert of_role(limits, "mod").max_bytes_per_s == 100_000
    assert of_role(limits, "observer").max_bytes_per_s == ROLE_RATES["observer"].bytes_per_s
    assert of_role(LimitSettings(), "mod").max_bytes_per_s == ROLE_RATES["mod"].bytes_per_s
