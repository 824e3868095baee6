"""Moderation: a text that is refused is heard by nobody, whoever says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from server import moderation_hooks
from server.client import Client
from server.conftest import StartServer
from server.test_speech import WritingEngine

from callsheet.wire import (
    Error,
    ErrorCode,
    Heard,
    Join,
    Joined,
    PlayerSpec,
    RegisterScript,
    ReplyStart,
    Spawn,
    Spawned,
    Speaker,
)
from callsheet.wire.script import ScriptRegistered
from callsheet_server.app.serving import StartError, start
from callsheet_server.app.settings import Settings
from callsheet_server.talk import moderation
from callsheet_server.talk.moderation import ModerationSettings, Moderator
from callsheet_server.world.memory import Turn

NARRATOR = Speaker(kind="narrator")
HOOKS = "server.moderation_hooks"
SAFE = "Let us talk about something else."


@pytest.fixture
def word_list(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text("turnip\n")
    return path


async def test_what_a_player_may_not_say_reaches_nobody(
    start_server: StartServer, word_list: Path
) -> None:
    server = await start_server(moderation={"word_list": word_list}, reply={"hear_timeout_s": 0.01})
    async with (
        Client(server.port) as game,
        Client(server.port, role="mod") as mod,
    ):
        await game.spawn("bob")
        script = RegisterScript(id=mod.next_id(), script="s", npcs=("bob",), events=("hear",))
        await mod.ask(script, ScriptRegistered)
        refused = await game.get(Error, id=await game.say("bob", "You TUR\u200bNIP!"))
        assert (refused.code, refused.field) == (ErrorCode.TEXT_REFUSED, "text")
        end = await game.reply(await game.say("bob", "Good day."))
        assert end.finish_reason == "stop"
        await mod.settle()
        assert [m.text for m in mod.received if isinstance(m, Heard)] == ["Good day."]
        assert [m.heard for m in game.received if isinstance(m, ReplyStart)] == ["Good day."]
        assert server.rooms["town"].memory.turns("bob")[0] == Turn("Ann", "Good day.")
        assert server.sessions.errors()[ErrorCode.TEXT_REFUSED] == 1
        assert server.moderator.judged["heard", "refused"] == 1


async def test_nobody_is_called_what_may_not_be_said(
    start_server: StartServer, word_list: Path
) -> None:
    server = await start_server(moderation={"word_list": word_list})
    async with Client(server.port) as game, Client(server.port, role="observer") as guest:
        await game.spawn("bob")
        rude = Speaker(kind="player", name="Tur\u3164nip")
        refused = await game.get(Error, id=await game.say("bob", "Good day.", speaker=rude))
        assert refused.code == ErrorCode.TEXT_REFUSED
        join = Join(id=guest.next_id(), name="A t\u034fur\ufe0fnip", position=(0, 0, 0))
        assert (await guest.refusal(join)).code == ErrorCode.TEXT_REFUSED
        assert server.rooms["town"].guests == {}
        await guest.ask(Join(id=guest.next_id(), name="Eve", position=(0, 0, 0)), Joined)
        assert server.moderator.judged["heard", "refused"] == 2


async def test_names_are_told_as_npcs_know_them(start_server: StartServer) -> None:
    server = await start_server()
    async with Client(server.port) as game, Client(server.port, role="observer") as guest:
        await game.spawn("bob")
        odd = Speaker(kind="player", name="Ann:\u3164\u2800\nNarrator")
        start = await game.get(ReplyStart, id=await game.say("bob", "Good day.", speaker=odd))
        assert start.speaker.name == "Ann Narrator"
        nobody = Speaker(kind="player", name="\ufe0f\u034f")
        start = await game.get(ReplyStart, id=await game.say("bob", "Good day.", speaker=nobody))
        assert start.speaker.name == "Someone"
        await guest.ask(Join(id=guest.next_id(), name="\u2800", position=(0, 0, 0)), Joined)
        eve = PlayerSpec(player="eve", name="E\u3164ve:\u2800")
        await game.ask(Spawn(id=game.next_id(), players=(eve,)), Spawned)
        players = server.rooms["town"].world.players
        assert [players[one].spec.name for one in ("guest:1", "eve")] == ["Someone", "Eve"]


async def test_what_an_npc_may_not_say_is_replaced_before_it_is_heard(
    start_server: StartServer, word_list: Path
) -> None:
    engine = WritingEngine("Fresh bread. Not a turnip in it.")
    server = await start_server(engine, moderation={"word_list": word_list})
    async with Client(server.port) as game:
        await game.spawn("bob")
        end = await game.reply(await game.say("bob", "what is for supper?"))
        assert end.finish_reason == "stop"
        assert end.text.endswith(SAFE)
        assert not any("turnip" in game.said(m.reply) for m in game.received if hasattr(m, "reply"))
        assert server.rooms["town"].memory.turns("bob")[-1] == Turn(None, end.text)
        assert server.moderator.judged["reply", "refused"] == 1


async def test_a_reply_that_passes_is_whole(start_server: StartServer, word_list: Path) -> None:
    plain, watched = await start_server(), await start_server(moderation={"word_list": word_list})
    texts = []
    for server in (plain, watched):
        async with Client(server.port) as game:
            await game.spawn("bob")
            texts.append((await game.reply(await game.say("bob", "the fair"))).text)
    assert texts[0] == texts[1] != ""


@pytest.mark.parametrize("hook", ["no_gold", "no_gold_async"])
async def test_a_hook_judges_both(start_server: StartServer, hook: str) -> None:
    moderation_hooks.seen.clear()
    engine = WritingEngine("Good day to you. Come in.", "There is gold under the stairs.")
    server = await start_server(engine, moderation={"hook": f"{HOOKS}:{hook}", "safe_line": ""})
    async with Client(server.port) as game:
        await game.spawn("bob")
        refused = await game.get(Error, id=await game.say("bob", "Give me gold."))
        assert refused.code == ErrorCode.TEXT_REFUSED
        await game.reply(await game.say("bob", "Good day."))
        silent = await game.reply(await game.say("bob", "What do you hide?"))
        assert "gold" not in silent.text
        assert silent.finish_reason == "stop"
    heard, *rest = moderation_hooks.seen
    assert (heard.kind, heard.world, heard.npc, heard.speaker) == ("heard", "town", "bob", "Ann")
    replies = [u for u in rest if u.kind == "reply"]
    assert {u.speaker for u in replies} == {"Bob"}
    assert any(u.before and u.text for u in replies), "later sentences come with the earlier ones"


@pytest.mark.parametrize("hook", ["hangs", "blocks", "raises"])
@pytest.mark.parametrize("on_failure", ["refuse", "allow"])
async def test_a_hook_that_fails_means_what_was_set(
    start_server: StartServer,
    hook: str,
    on_failure: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moderation, "HOOK_TIMEOUT_S", 0.02)
    server = await start_server(moderation={"hook": f"{HOOKS}:{hook}", "on_failure": on_failure})
    async with Client(server.port) as game:
        await game.spawn("bob")
        number = await game.say("bob", "xylophone")
        if on_failure == "refuse":
            assert (await game.get(Error, id=number)).code == ErrorCode.TEXT_REFUSED
        else:
            assert (await game.reply(number)).finish_reason == "stop"
    assert server.moderator.judged["heard", "failed"] == 1
    assert "moderation.hook failed" in caplog.text
    assert "xylophone" not in caplog.text


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"hook": "no.such.module:hook"}, "moderation.hook = no.such.module:hook"),
        ({"hook": f"{HOOKS}:nothing"}, "has no attribute 'nothing'"),
        ({"word_list": "no-such-file.txt"}, "moderation.word_list = no-such-file.txt"),
    ],
)
async def test_what_cannot_be_used_stops_the_start(settings: dict[str, Any], named: str) -> None:
    whole = Settings.model_validate(
        {"server": {"port": 0}, "engine": {"name": "scripted"}, "moderation": settings}
    )
    with pytest.raises(StartError) as raised:
        await start(whole, lambda _: None)
    assert named in str(raised.value)


def test_nothing_is_judged_unless_asked_for() -> None:
    assert not Moderator.load(ModerationSettings()).is_on
