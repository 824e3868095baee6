"""Which pages may connect, by the headers of a browser."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.datastructures import Headers

from callsheet_server.transport.origin import host_problem, origin_problem
from callsheet_server.transport.settings import ServerSettings

TOKEN = "long-enough-to-be-a-token"


def settings(**fields: Any) -> ServerSettings:
    return ServerSettings.model_validate(fields)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8765", "localhost", "LOCALHOST:8765", "[::1]:8765", "town.localhost", "10.0.0.7"],
)
def test_names_of_this_machine_pass(host: str) -> None:
    assert host_problem(settings(), Headers(Host=host)) is None


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8765", "localhost.evil.example", ""),
        *("[::1].evil.com", "[::1]evil.com:80", "x@localhost", "localhost/evil", "[::1"),
    ],
)
def test_a_name_that_was_made_to_point_here_does_not_pass(host: str) -> None:
    assert host_problem(settings(), Headers(Host=host)) is not None


def test_two_hosts_are_none() -> None:
    headers = Headers(Host="localhost")
    headers["Host"] = "evil.example"
    assert host_problem(settings(), headers) is not None


def test_a_proxys_name_passes_when_it_is_allowed() -> None:
    headers = Headers(Host="npc.example.org")
    problem = host_problem(settings(), headers)
    assert problem is not None
    assert 'server.allowed_hosts = ["npc.example.org"]' in problem
    assert host_problem(settings(allowed_hosts=["npc.example.org"]), headers) is None


def test_beyond_loopback_the_token_protects() -> None:
    assert host_problem(settings(host="0.0.0.0", game_token=TOKEN), Headers(Host="a.b")) is None


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "passes"),
    [
        (None, "127.0.0.1:8765", [], True),
        ("http://127.0.0.1:8765", "127.0.0.1:8765", [], True),
        ("https://npc.example.org", "npc.example.org", [], True),
        ("HTTP://LocalHost:8765", "localhost:8765", [], True),
        ("http://localhost:3000", "localhost:8765", [], False),
        ("https://evil.example", "127.0.0.1:8765", [], False),
        ("null", "127.0.0.1:8765", [], False),
        ("null", "127.0.0.1:8765", ["null"], True),
        ("file://", "127.0.0.1:8765", [], False),
        ("https://html-classic.itch.zone", "a:1", ["https://html-classic.itch.zone"], True),
        ("https://html-classic.itch.zone.evil", "a:1", ["https://html-classic.itch.zone"], False),
        ("https://anything.example", "a:1", ["*"], True),
        ("http://[", "a:1", [], False),
    ],
)
def test_who_may_connect(origin: str | None, host: str, allowed: list[str], passes: bool) -> None:
    headers = Headers(Host=host)
    if origin is not None:
        headers["Origin"] = origin
    problem = origin_problem(settings(allowed_origins=allowed), headers)
    assert (problem is None) == passes
    assert passes or "server.allowed_origins" in str(problem)
