"""Mods that loop, flood or hang: bounded, told, and nobody else's trouble."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from server.client import Client
from server.conftest import StartServer

from callsheet.wire import (
    CloseCode,
    ConfigureWorld,
    Error,
    ErrorCode,
    HearAnswer,
    Heard,
    NpcSpec,
    Ok,
    RegisterScript,
    ReplyEnd,
    Say,
    ScriptRegistered,
    Spawn,
    Speak,
    Speaker,
    Subscribe,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.handlers import rate_limits
from callsheet_server.world import scripts as scripts_module

NARRATOR = Speaker(kind="narrator")


@asynccontextmanager
async def game_in(port: int, *npcs: str, world: str = "town") -> AsyncIterator[Client]:
    """A game with these NPCs."""
    async with Client(port, world=world) as game:
        await game.spawn(*npcs)
        yield game
        await game.settle()


async def answer_or_refusal(mod: Client, request: Say | Speak) -> ReplyEnd | Error:
    """Answer to a turn that a mod asks for."""
    await mod.send(request)
    while True:
        await mod._receive()
        last = mod.received[-1]
        if isinstance(last, ReplyEnd | Error) and last.id == request.id:
            return last


async def test_npcs_of_two_mods_that_make_each_other_talk_slow_down(
    start_server: StartServer,
) -> None:
    """Each mod answers whatever the other's NPC has said, at once, for ever."""
    server = await start_server(limits={"max_mod_turns_per_npc_per_min": 6})
    async with (
        game_in(server.port, "a", "b") as game,
        Client(server.port, role="mod") as one,
        Client(server.port, role="mod") as other,
    ):
        said, refused = 0, []
        text = "Hello!"
        for turn in range(40):
            mod, npc, from_npc = ((one, "a", "b"), (other, "b", "a"))[turn % 2]
            speaker = Speaker(kind="npc", id=from_npc)
            request = Say(id=mod.next_id(), npc=npc, speaker=speaker, text=text)
            answer = await answer_or_refusal(mod, request)
            if isinstance(answer, ReplyEnd):
                said, text = said + 1, answer.text
            else:
                refused.append(answer)
        assert 12 <= said <= 14, "six turns each at once; one more every ten seconds"
        assert {error.code for error in refused} == {ErrorCode.LIMIT_EXCEEDED}
        assert all(0 < (error.retry_after_s or 0) <= 10 for error in refused)
        assert (await game.reply(await game.say("a"))).finish_reason == "stop"
        await one.send(Say(id=99, npc="nobody", speaker=NARRATOR, text="?"))
        assert (await one.get(Error, id=99)).code == ErrorCode.UNKNOWN_NPC


async def test_a_script_that_reacts_to_its_own_words_slows_down(start_server: StartServer) -> None:
    server = await start_server(limits={"max_mod_turns_per_npc_per_min": 6})
    async with game_in(server.port, "a", "b"), Client(server.port, role="mod") as mod:
        answers = [
            await answer_or_refusal(mod, Speak(id=mod.next_id(), npc="a", text="I heard myself."))
            for _ in range(12)
        ]
        assert sum(isinstance(answer, ReplyEnd) for answer in answers) in (6, 7)
        other = await answer_or_refusal(mod, Speak(id=mod.next_id(), npc="b", text="I did not."))
        assert isinstance(other, ReplyEnd), "another NPC has a budget of its own"


async def test_who_goes_on_after_being_refused_is_closed(start_server: StartServer) -> None:
    server = await start_server(limits={"max_mod_turns_per_npc_per_min": 1})
    async with game_in(server.port, "a") as game, Client(server.port, role="mod") as mod:
        for _ in range(130):
            await mod.send(Speak(id=mod.next_id(), npc="a", text="Me, me, me!"))
        assert await mod.closed() == CloseCode.FLOODING
        assert (await game.reply(await game.say("a"))).finish_reason == "stop"


async def test_registering_again_and_again_is_refused(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "CHANGES_PER_MIN", 10.0)
    server = await start_server()
    async with game_in(server.port, "a") as game, Client(server.port, role="mod") as mod:
        for number in range(1, 6):
            await mod.ask(RegisterScript(id=number, script="s", npcs=("a",)), ScriptRegistered)
        error = await mod.refusal(RegisterScript(id=6, script="s", npcs=("a",)))
        assert (error.code, error.limit) == (ErrorCode.LIMIT_EXCEEDED, 10)
        assert 0 < (error.retry_after_s or 0) <= 6
        for number in range(50, 55):
            await game.send(ConfigureWorld(id=number, lore=f"Lore {number}."))
        assert (await game.refusal(ConfigureWorld(id=55, lore="Enough."))).field is None


async def test_scripts_of_one_mod_are_counted(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "MAX_SCRIPTS_PER_SESSION", 2)
    server = await start_server()
    async with game_in(server.port, "a"), Client(server.port, role="mod") as mod:
        for number, script in enumerate(("one", "two", "two"), start=1):
            await mod.ask(RegisterScript(id=number, script=script, npcs=("a",)), ScriptRegistered)
        error = await mod.refusal(RegisterScript(id=9, script="three", npcs=("a",)))
        assert (error.code, error.field, error.value, error.limit) == (
            ErrorCode.LIMIT_EXCEEDED,
            "script",
            "3",
            2,
        )


async def test_a_script_that_never_answers_is_left_alone_for_a_while(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts_module, "REST_S", 3_600.0)
    server = await start_server(reply={"hear_timeout_s": 0.01})
    async with game_in(server.port, "a") as game, Client(server.port, role="mod") as mod:
        register = RegisterScript(id=1, script="s", npcs=("a",), events=("hear",))
        await mod.ask(register, ScriptRegistered)
        for _ in range(scripts_module.MAX_MISSED + 3):
            assert (await game.reply(await game.say("a"))).finish_reason == "stop"
        await mod.settle()
        heard = [message for message in mod.received if isinstance(message, Heard)]
        assert len(heard) == scripts_module.MAX_MISSED
        metrics = server.pages["/metrics"]().body.decode()
        assert f"callsheet_unanswered_hears_total {scripts_module.MAX_MISSED}.0" in metrics
        await mod.ask(register.model_copy(update={"id": 50}), ScriptRegistered)
        asked = await game.say("a")
        await mod.send(HearAnswer(call=(await mod.get(Heard, call=heard[-1].call + 1)).call))
        assert (await game.reply(asked)).finish_reason == "stop"  # Reloaded: it is asked again.


async def test_a_script_that_answers_once_in_a_while_is_asked_every_time(
    server: CallsheetServer,
) -> None:
    async with game_in(server.port, "a") as game, Client(server.port, role="mod") as mod:
        register = RegisterScript(id=1, script="s", npcs=("a",), events=("hear",))
        await mod.ask(register, ScriptRegistered)
        script = server.rooms["town"].scripts.script_of("a")
        assert script is not None
        for _ in range(3):
            script.missed = scripts_module.MAX_MISSED - 1
            asked = await game.say("a")
            await mod.send(HearAnswer(call=(await mod.get(Heard)).call, ignore=True))
            await game.reply(asked)
            assert script.missed == 0


async def test_a_new_session_of_a_mod_has_no_new_changes(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "CHANGES_PER_MIN", 4.0)
    server = await start_server()
    async with game_in(server.port, "bob"):
        async with Client(server.port, role="mod") as mod:
            for request in (1, 2):
                await mod.ask(RegisterScript(id=request, script="s"), ScriptRegistered)
        async with Client(server.port, role="mod") as mod:
            refusal = await mod.refusal(RegisterScript(id=1, script="s"))
            assert refusal.code == ErrorCode.LIMIT_EXCEEDED


async def test_a_change_of_a_large_world_counts_for_more(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "CHANGES_PER_MIN", 8.0)
    monkeypatch.setattr(rate_limits, "NPCS_PER_CHANGE", 1)
    server = await start_server()
    async with game_in(server.port, "a", "b", "c"), Client(server.port, role="mod") as mod:
        await mod.ask(RegisterScript(id=1, script="s"), ScriptRegistered)
        assert (await mod.refusal(RegisterScript(id=2, script="s"))).retry_after_s is not None


async def test_games_at_one_address_share_their_changes(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A game has no new ones for each world that it begins."""
    monkeypatch.setattr(rate_limits, "CHANGES_PER_MIN", 4.0)
    monkeypatch.setattr(rate_limits, "LEAST_OF_ADDRESS", 1.0)
    server = await start_server()
    for world in ("one", "other"):
        async with Client(server.port, world=world) as game:
            await game.ask(ConfigureWorld(id=1, lore="Rain."), Ok)
    async with Client(server.port, world="third") as game:
        refusal = await game.refusal(ConfigureWorld(id=1, lore="Rain."))
        assert refusal.code == ErrorCode.LIMIT_EXCEEDED


async def test_games_at_one_address_share_their_pace(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "NPCS_AT_ONCE", 2.0)
    monkeypatch.setattr(rate_limits, "NPCS_PER_S", 0.001)
    server = await start_server()
    async with Client(server.port) as game, Client(server.port, world="village") as other:
        await game.spawn("a", "b", "c", players=())
        await other.spawn("e", players=())
        (session,) = (s for s in server.sessions if s.world == "village")
        assert session.resumes_at_s > server.clock()
        game.drop()
        other.drop()


async def test_a_game_that_spawns_too_much_is_slowed_not_refused(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "NPCS_AT_ONCE", 2.0)
    monkeypatch.setattr(rate_limits, "NPCS_PER_S", 0.001)
    server = await start_server()
    async with Client(server.port, role="observer") as observer, Client(server.port) as game:
        await game.spawn("a", "b", "c", players=())
        await game.send(Spawn(id=50, npcs=(NpcSpec(npc="d", name="D"),)))
        await observer.ask(Subscribe(id=1, topics=("stats",)), Ok)
        assert set(server.rooms["town"].world.npcs) == {"a", "b", "c"}
        (session,) = (s for s in server.sessions if s.role == "game")
        assert session.resumes_at_s > server.clock()
        game.drop()
