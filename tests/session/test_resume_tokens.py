"""Resume tokens: which resume a session, and which no longer do."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from callsheet_server.session.resume_tokens import ResumeTokens


@pytest.fixture
def new_token() -> Callable[[], str]:
    numbers = itertools.count()
    return lambda: f"token-{next(numbers)}"


def test_the_present_token_resumes_and_no_other(new_token: Callable[[], str]) -> None:
    tokens = ResumeTokens()
    assert not tokens.accepts("")
    tokens.renew(new_token, None)
    assert tokens.accepts(tokens.present)
    for wrong in ("", "token-1", tokens.present + "x"):
        assert not tokens.accepts(wrong)


def test_the_token_before_works_until_the_new_one_has_arrived(
    new_token: Callable[[], str],
) -> None:
    tokens = ResumeTokens()
    tokens.renew(new_token, None)
    first = tokens.present
    tokens.renew(new_token, first)
    assert tokens.present != first
    assert tokens.accepts(first)
    assert tokens.accepts(tokens.present)
    tokens.arrived()
    assert not tokens.accepts(first)
    assert tokens.accepts(tokens.present)


@pytest.mark.parametrize("saved_after", [1, 2])
def test_a_restart_knows_the_token_of_a_welcome_it_had_no_time_to_note(
    new_token: Callable[[], str], saved_after: int
) -> None:
    tokens = ResumeTokens()
    tokens.renew(new_token, None)
    hashes = tokens.hashes
    first = tokens.present
    tokens.arrived()
    tokens.renew(new_token, first)
    if saved_after == 2:
        hashes = tokens.hashes
    restored = ResumeTokens(hashes)
    assert restored.accepts(tokens.present)
    assert restored.accepts(first)  # The welcome may have been lost.
    restored.renew(new_token, tokens.present)
    restored.arrived()
    assert not restored.accepts(first)
