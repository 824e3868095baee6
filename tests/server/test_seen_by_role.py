"""Talk, facts and personas of a world, as each role is told of them."""

from __future__ import annotations

import pytest
from server.client import Client

from callsheet.wire import (
    ErrorCode,
    Explain,
    Explanation,
    GetFacts,
    Join,
    Joined,
    Ok,
    ReplyEnd,
    ReplyStart,
    SetFacts,
    Subscribe,
    encode,
)
from callsheet.wire.fields import Role
from callsheet_server.app.server import CallsheetServer

PERSONA = "Hides the key under the third stone."


@pytest.fixture
async def secret(game: Client) -> str:
    """Line that the game's player has told ada, of whom there is a fact too; the answer to it."""
    await game.spawn("ada", persona=PERSONA, players=())
    await game.ask(SetFacts(id=game.next_id(), npc="ada", facts={"owes": "forty coins"}), Ok)
    return (await game.reply(await game.say("ada", "Between us: I am a spy."))).text


async def explained(client: Client) -> Explanation:
    return await client.ask(Explain(id=client.next_id(), npc="ada"), Explanation)


@pytest.mark.parametrize("role", ["mod", "observer"])
async def test_who_looks_on_is_told_of_all_talk_as_it_happens_and_as_it_is_remembered(
    role: Role, game: Client, secret: str, server: CallsheetServer
) -> None:
    async with Client(server.port, role=role) as watcher:
        remembers = (await explained(watcher)).remembers
        assert remembers is not None
        assert [line.text for line in remembers] == ["Between us: I am a spy.", secret]
        await watcher.ask(Subscribe(id=watcher.next_id(), topics=("replies",)), Ok)
        await game.say("ada", "Tell nobody.")
        assert (await watcher.get(ReplyStart)).heard == "Tell nobody."
        assert (await watcher.get(ReplyEnd)).npc == "ada"


async def test_the_game_and_a_guest_are_told_the_same(
    game: Client, secret: str, server: CallsheetServer
) -> None:
    async with Client(server.port, role="observer") as guest:
        await guest.ask(Join(id=guest.next_id(), name="Eve", position=(0.0, 0.0, 0.0)), Joined)
        told = [await explained(client) for client in (game, guest)]
        assert told[0].remembers == told[1].remembers
        assert secret in {line.text for line in told[1].remembers or ()}


async def test_facts_and_personas_are_not_for_observers(
    secret: str, server: CallsheetServer
) -> None:
    async with Client(server.port, role="observer") as observer:
        refused = await observer.refusal(GetFacts(id=observer.next_id(), npc="ada"))
        assert refused.code == ErrorCode.FORBIDDEN
        told = encode(await explained(observer)).decode()
        assert secret in told
        assert "forty coins" not in told
        assert PERSONA not in told
