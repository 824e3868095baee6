"""Admission by role, world and token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.wire import CallsheetError, ErrorCode
from callsheet.wire.fields import Role
from callsheet_server.session.keyring import Keyring
from callsheet_server.transport.access_tokens import AccessToken

STUDIO = AccessToken("studio", "game", "studio-secret-studio")
LAPTOP = AccessToken("laptop", "game", "laptop-secret-laptop")
TOWN = AccessToken("town", "game", "town-secret-only-town", world="town")
GUEST = AccessToken("guest", "observer", "guest-secret-guest")
ALL = (STUDIO, LAPTOP, TOWN, GUEST)


def refused(keyring: Keyring, role: Role, world: str | None, given: str | None) -> str:
    with pytest.raises(CallsheetError) as raised:
        keyring.admit(role, world, given)
    assert raised.value.code == ErrorCode.UNAUTHORIZED
    assert raised.value.value is None
    return raised.value.message


@pytest.mark.parametrize("open_to_all", [True, False])
def test_every_token_of_a_role_lets_in(open_to_all: bool) -> None:
    keyring = Keyring(ALL, open_to_all)
    for token in (STUDIO, LAPTOP):
        assert keyring.admit("game", "anywhere", token.secret) is token


def test_a_token_is_for_its_role_only() -> None:
    assert "is not it" in refused(Keyring(ALL, True), "observer", "town", STUDIO.secret)


def test_a_bound_token_is_for_its_world_only() -> None:
    keyring = Keyring(ALL, True)
    assert keyring.admit("game", "town", TOWN.secret) is TOWN
    assert "'town' only" in refused(keyring, "game", "village", TOWN.secret)
    assert "'town' only" in refused(keyring, "game", None, TOWN.secret)


def test_a_role_without_tokens_is_anybodys_on_this_machine_and_nobodys_elsewhere() -> None:
    assert Keyring(ALL, open_to_all=True).admit("mod", "town", None) is None
    assert "none was sent" in refused(Keyring(ALL, open_to_all=False), "mod", "town", None)
    assert "is not it" in refused(Keyring((), open_to_all=False), "mod", "town", "")


def test_who_is_held_by_a_new_keyring() -> None:
    later = Keyring((STUDIO, AccessToken("town", "game", TOWN.secret, world="village")), True)
    assert later.holds("game", STUDIO)
    assert not later.holds("game", LAPTOP)
    assert not later.holds("game", TOWN), "bound to another world now"
    assert not later.holds("game", None), "it came when no token was asked for"
    assert later.holds("mod", None)


def test_a_token_is_not_shown() -> None:
    assert STUDIO.secret not in repr(STUDIO)


@given(given=st.text(max_size=40) | st.none(), role=st.sampled_from(["game", "observer"]))
def test_no_other_text_lets_in(given: str | None, role: Role) -> None:
    if given not in {token.secret for token in ALL}:
        refused(Keyring(ALL, True), role, "town", given)
