"""Mistakes of who writes a game: a CallsheetError at the call, in the SDK's own words."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sdk.link import Link
from sdk.scripted_server import Peer, scripted_server

import callsheet
from callsheet import CallsheetError, Client, ClientSettings, NpcSpec, Speaker, blocking
from callsheet.core.errors import SessionClosedError
from callsheet.core.events import EventHub
from callsheet.wire.errors import ErrorCode, ProtocolError
from callsheet.wire.session import Error

CASES: dict[str, tuple[Callable[[Client], Awaitable[Any]], str, float | None, str]] = {
    "too long": (
        lambda game: game.say("bram", "x" * 4001),
        "text",
        4000,
        "say.text: must have at most 4000 characters; this has 4001",
    ),
    "empty": (lambda game: game.say("bram", ""), "text", 1, "say.text: must not be empty"),
    "half a character": (
        lambda game: game.speak("bram", "caf\ud83d"),
        "text",
        None,
        "speak.text: must be valid text; it holds half a character (a lone surrogate)",
    ),
    "half a character in a fact": (
        lambda game: game.set_facts("bram", {"met": ["caf\ud83d"]}),
        "facts",
        None,
        "set_facts.facts: cannot be written as JSON: "
        "str is not valid UTF-8: surrogates not allowed",
    ),
    "no JSON": (
        lambda game: game.set_facts("bram", {"met": {"ann"}}),
        "facts",
        None,
        "set_facts.facts: cannot be written as JSON: Type is not JSON serializable: set",
    ),
    "no facts": (
        lambda game: game.set_facts("bram", ["met"]),  # type: ignore[arg-type]
        "facts",
        None,
        "facts: must be a dict, not list",
    ),
    "id": (
        lambda game: game.say("Old Bram", "Hello"),
        "npc",
        None,
        "say.npc: must be made of letters, digits and _ . : -",
    ),
    "no text": (lambda game: game.explain(7), "npc", None, "explain.npc: must be text, not int"),  # type: ignore[arg-type]
    "stop": (
        lambda game: game.say("bram", "Hello", stop="\n"),
        "stop",
        None,
        "stop: must be a list of str, not str",
    ),
    "topic": (
        lambda game: game.subscribe("gossip"),  # type: ignore[arg-type]
        "topics.0",
        None,
        "subscribe.topics.0: must be 'replies', 'residency', 'npcs' or 'stats'",
    ),
    "one spec": (
        lambda game: game.spawn(NpcSpec(npc="bram", name="Bram")),  # type: ignore[arg-type]
        "npcs",
        None,
        "npcs: must be a list of NpcSpec, not NpcSpec",
    ),
    "a dict": (
        lambda game: game.spawn([{"npc": "bram"}]),  # type: ignore[list-item]
        "npcs.0",
        None,
        "npcs.0: must be a NpcSpec, not dict",
    ),
    "one id": (
        lambda game: game.despawn("bram"),
        "npcs",
        None,
        "npcs: must be a list of str, not str",
    ),
    "positions": (
        lambda game: game.send_tick(0.0, [0, 1], [[1.0, 2.0], [3.0, 4.0]]),
        "positions_m",
        None,
        "positions_m has shape (2, 2); it must be (2, 3): x, y and z for each handle",
    ),
    "a point": (
        lambda game: game.join("Ann", [1.0, 2.0]),
        "position_m",
        None,
        "position_m: must be three numbers x, y and z, not list",
    ),
    "a number": (
        lambda game: game.say("bram", "Hello", max_tokens=0),
        "max_tokens",
        1,
        "say.max_tokens: must be at least 1",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_mistake_is_told_at_the_call_and_costs_nothing(case: str) -> None:
    async def answer_explain(peer: Peer) -> None:
        await peer.welcome()
        asked = await peer.read("explain")  # the mistake itself was never sent
        await peer.send(
            {"type": "error", "seq": 1, "id": asked["id"], "code": "unknown_npc", "message": "no"}
        )
        await peer.until_bye()

    mistake, field, limit, told = CASES[case]
    async with (
        scripted_server(answer_explain) as url,
        callsheet.connect(url, role="game", world="town") as game,
    ):
        with pytest.raises(ProtocolError) as caught:
            await mistake(game)
        error = caught.value
        assert (error.message, error.field, error.limit) == (told, field, limit)
        str(error.value).encode()  # can be printed
        with pytest.raises(CallsheetError, match="unknown_npc"):
            await game.explain("bram")


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: NpcSpec(npc="bram", name=""), "NpcSpec.name: must not be empty"),
        (
            lambda: NpcSpec(npc="bram", name="Bram", persona="x" * 16_001),
            "NpcSpec.persona: must have at most 16000 characters; this has 16001",
        ),
        (
            lambda: NpcSpec(npc="bram", name="Bram", position=(1.0, 2.0)),
            "NpcSpec.position.2: is missing: write x, y and z",
        ),
        (
            lambda: NpcSpec(npc="bram", name="Bram", position="here"),  # type: ignore[arg-type]
            "NpcSpec.position: must be a list",
        ),
        (
            lambda: NpcSpec(npc="bram", name="Bram", sociability=2.0),
            "NpcSpec.sociability: must be at most 1",
        ),
        (
            lambda: NpcSpec(npc="bram", nane="Bram"),  # type: ignore[call-arg]
            "NpcSpec.name: required, like all of: npc, name (found 'nane' instead)",
        ),
        (
            lambda: Speaker(kind="ghost"),  # type: ignore[arg-type]
            "Speaker.kind: must be 'player', 'npc' or 'narrator'",
        ),
        (
            lambda: ClientSettings(connect_timeout_s=0),
            "ClientSettings.connect_timeout_s: must be more than 0",
        ),
        (
            lambda: callsheet.connect("ws://127.0.0.1:1", role="gm", world="town"),  # type: ignore[arg-type]
            "hello.role: must be 'game', 'mod' or 'observer'",
        ),
        (
            lambda: blocking.connect("ws://127.0.0.1:1", role="game", world="my town"),
            "hello.world: must be made of letters, digits and _ . : -",
        ),
    ],
)
def test_what_cannot_be_built_is_told(build: Callable[[], object], told: str) -> None:
    with pytest.raises(CallsheetError) as caught:
        build()
    assert (caught.value.message, caught.value.code) == (told, ErrorCode.BAD_MESSAGE)


def test_a_token_is_not_shown() -> None:
    with pytest.raises(CallsheetError) as caught:
        callsheet.connect("ws://127.0.0.1:1", role="game", world="town", token="hunter2" * 1000)
    assert "hunter2" not in f"{caught.value}{caught.value.value}"


async def test_a_client_that_was_not_entered_says_so() -> None:
    game = callsheet.connect("ws://127.0.0.1:1", role="game", world="town")
    for mistake in (lambda: game.say("bram", "Hello"), lambda: game.spawn([])):
        with pytest.raises(SessionClosedError, match="enter the client first"):
            await asyncio.wait_for(mistake(), timeout=10)
    with pytest.raises(SessionClosedError, match="enter the client first"):
        _ = game.welcome
    blocked = blocking.connect("ws://127.0.0.1:1", role="game", world="town")
    for blocked_mistake in (lambda: blocked.say("bram", "Hello"), lambda: blocked.welcome):
        with pytest.raises(SessionClosedError, match="enter the client first"):
            blocked_mistake()


def bad_tick(seq: int) -> Error:
    return Error(seq=seq, code="bad_tick", message="positions must be finite")


def test_an_error_that_nobody_listens_to_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    hub = EventHub()
    with caplog.at_level(logging.WARNING, "callsheet"):
        for seq in (1, 2, 3):
            hub.emit(bad_tick(seq))
    assert [record.message for record in caplog.records] == [
        "the server says bad_tick: positions must be finite"
    ]


def test_an_error_that_somebody_listens_to_is_theirs(caplog: pytest.LogCaptureFixture) -> None:
    link = Link()  # listens to everything
    link.open()
    link.give(bad_tick(1))
    assert link.told[-1] == bad_tick(1)
    assert caplog.records == []


@pytest.mark.parametrize("awaited", [True, False])
async def test_a_reply_that_failed_unseen_is_logged(
    awaited: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(peer: Peer) -> None:
        await peer.welcome()
        said = await peer.read("say")
        no = {"type": "error", "seq": 1, "id": said["id"], "code": "unknown_npc", "message": "who?"}
        await peer.send(no)
        await peer.until_bye()

    async with (
        scripted_server(refuse) as url,
        callsheet.connect(url, role="game", world="town") as game,
    ):
        refused = asyncio.Event()
        game.on(lambda error: refused.set(), callsheet.Error)
        reply = await game.say("bram", "Hello")
        if awaited:
            with pytest.raises(CallsheetError):
                await reply
        await refused.wait()
        del reply
        gc.collect()
    logged = [record.message for record in caplog.records if "nobody asked" in record.message]
    assert logged == (
        [] if awaited else ["nobody asked what became of request 1: unknown_npc: who?"]
    )
