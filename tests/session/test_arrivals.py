from __future__ import annotations

import pytest

from callsheet.wire import CallsheetError, ErrorCode
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.session.arrivals import (
    ERRORS_AT_ONCE,
    ERRORS_PER_S,
    HELLOS_PER_S,
    MAX_ERRORS_OWED_S,
    NEW_WORLDS_AT_ONCE,
    NEW_WORLDS_PER_S,
    Arrivals,
)
from callsheet_server.transport.access_tokens import AccessToken

TOKEN = AccessToken("alice", "observer", "secret")


def worlds(arrivals: Arrivals, now_s: float, address: str, token: AccessToken | None) -> int:
    """Begin as many worlds as may be; the number."""
    begun = 0
    refused = None
    while refused is None:
        refused = refusal(arrivals, now_s, address, token)
        begun += refused is None
    assert refused.code is ErrorCode.LIMIT_EXCEEDED
    assert refused.retry_after_s is not None
    return begun


def refusal(
    arrivals: Arrivals, now_s: float, address: str, token: AccessToken | None
) -> CallsheetError | None:
    try:
        arrivals.take_world("observer", token, address, now_s)
    except CallsheetError as error:
        return error
    return None


def test_worlds_of_one_address_begin_at_a_rate() -> None:
    arrivals = Arrivals(LimitSettings(max_worlds=1))
    assert worlds(arrivals, 0.0, "a", None) == NEW_WORLDS_AT_ONCE
    assert worlds(arrivals, 0.0, "a", TOKEN) == 0
    assert worlds(arrivals, 1.0, "a", None) == NEW_WORLDS_PER_S
    assert worlds(arrivals, 1.0, "b", None) == NEW_WORLDS_AT_ONCE


def test_a_token_is_counted_wherever_it_comes_from() -> None:
    arrivals = Arrivals(LimitSettings())
    assert worlds(arrivals, 0.0, "a", TOKEN) == NEW_WORLDS_AT_ONCE
    assert worlds(arrivals, 0.0, "b", TOKEN) == 0
    assert worlds(arrivals, 0.0, "b", None) == NEW_WORLDS_AT_ONCE


def test_hellos_have_a_rate_of_their_own() -> None:
    arrivals = Arrivals(LimitSettings(max_sessions=2_000))
    for _ in range(2_000):
        arrivals.take_hello("observer", None, "a", 0.0)
    with pytest.raises(CallsheetError):
        arrivals.take_hello("observer", None, "a", 0.0)
    for _ in range(int(HELLOS_PER_S)):
        arrivals.take_hello("observer", None, "a", 1.0)
    arrivals.take_hello("mod", None, "a", 0.0)


def test_errors_are_paid_back_but_not_for_ever() -> None:
    """A session may make a hundred before it ends, and many may have been open at once."""
    arrivals = Arrivals(LimitSettings())
    arrivals.note_errors("mod", TOKEN, "a", ERRORS_AT_ONCE, 0.0)
    for _ in range(1_000):
        arrivals.note_errors("mod", TOKEN, "a", 1.0, 0.0)
    for role, address, token in (("mod", "a", None), ("mod", "b", TOKEN)):
        with pytest.raises(CallsheetError) as refused:
            arrivals.check_errors(role, token, address, 0.0)  # type: ignore[arg-type]
        assert refused.value.retry_after_s == MAX_ERRORS_OWED_S + 1 / ERRORS_PER_S
    arrivals.check_errors("mod", TOKEN, "a", MAX_ERRORS_OWED_S + 1)
    arrivals.check_errors("observer", None, "a", 0.0)
    arrivals.check_errors("mod", None, "b", 0.0)
