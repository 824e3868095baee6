"""Addresses that limits are counted by."""

from __future__ import annotations

import pytest
from websockets.datastructures import Headers

from callsheet_server.transport.client_address import (
    client_address,
    forwarded_address,
    is_loopback,
)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
    ],
)
def test_a_client_is_counted_by_what_of_its_address_it_cannot_choose(
    address: str, counted: str
) -> None:
    assert client_address(address) == counted


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ([], None),
        (["203.0.113.7"], "203.0.113.7"),
        (["10.0.0.1, 203.0.113.7"], "203.0.113.7"),
        (["10.0.0.1,  203.0.113.7 "], "203.0.113.7"),
        (["10.0.0.1", "203.0.113.7"], "203.0.113.7"),
        (["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        (["203.0.113.7, unknown"], None),
        (["203.0.113.7,"], None),
        (["203.0.113.7:4711"], None),
    ],
)
def test_only_the_last_that_a_proxy_added_counts(lines: list[str], named: str | None) -> None:
    headers = Headers()
    for line in lines:
        headers["X-Forwarded-For"] = line
    assert forwarded_address(headers) == named


def test_addresses_of_this_machine() -> None:
    assert is_loopback("127.0.0.9")
    assert is_loopback("::1")
    assert not is_loopback("10.0.0.1")
    assert not is_loopback("2001:db8::/64")
