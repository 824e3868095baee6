"""Both clients against a real socket."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from sdk.scripted_server import Peer, scripted_server

import callsheet
from callsheet import (
    ClientSettings,
    NpcSpec,
    SessionLostError,
    SessionReset,
    SessionState,
    StateChanged,
    TickAck,
)
from callsheet import blocking as blocking_module
from callsheet.blocking import BlockingClient, BlockingReply
from callsheet.client import Client, Reply

QUICK = ClientSettings(backoff_max_s=0.01, backoff_min_s=0.01)


async def talk(peer: Peer) -> None:
    await peer.welcome()
    spawn = await peer.read("spawn")
    names = [one["npc"] for one in spawn["npcs"]]
    handles = [{"npc": name, "handle": n} for n, name in enumerate(names)]
    await peer.send({"type": "spawned", "seq": 1, "id": spawn["id"], "npcs": handles})
    tick = await peer.read("tick")
    assert tick.npcs["handle"].tolist() == [0]
    await peer.send({"type": "tick_ack", "tick": tick.tick, "game_time_s": tick.game_time_s})
    await peer.reply(await peer.read("say"), 2, "Good ", "evening.")
    await peer.until_bye()


async def test_a_talk_with_asyncio() -> None:
    async with (
        scripted_server(talk) as url,
        callsheet.connect(url, role="game", world="town") as game,
    ):
        acks: list[TickAck] = []
        game.on(acks.append, TickAck)
        handles = await game.spawn([NpcSpec(npc="bram", name="Bram")])
        assert handles.npcs == {"bram": 0}
        number = await game.send_tick(1.0, [0], [[0.0, 0.0, 0.0]], ack=True)
        reply = await game.say("bram", "Good evening.", speaker="ann")
        assert [text async for text in reply] == ["Good ", "evening."]
        assert (await reply).text == reply.text == "Good evening."
        assert acks == [TickAck(tick=number, game_time_s=1.0)]


async def test_a_talk_without_asyncio() -> None:
    def play(url: str) -> None:
        with blocking_module.connect(url, role="game", world="town") as game:
            acks: list[TickAck] = []
            game.on(acks.append, TickAck)
            handles = game.spawn([NpcSpec(npc="bram", name="Bram")])
            assert handles.npcs == {"bram": 0}
            number = game.send_tick(1.0, [0], [[0.0, 0.0, 0.0]], ack=True)
            reply = game.say("bram", "Good evening.", speaker="ann")
            assert list(reply) == ["Good ", "evening."]
            assert reply.end().text == reply.text == "Good evening."
            assert acks == [TickAck(tick=number, game_time_s=1.0)]

    async with scripted_server(talk) as url:
        await asyncio.to_thread(play, url)


async def lose_in_mid_reply(peer: Peer) -> None:
    await peer.welcome()
    said = await peer.read("say")
    start = {"type": "reply_start", "seq": 1, "id": said["id"], "reply": 1, "npc": "bram"}
    await peer.send(start | {"speaker": {"kind": "narrator"}, "heard": "Hello"})
    await peer.send(
        {"type": "reply_delta", "seq": 2, "id": said["id"], "reply": 1, "text": "Once "}
    )
    peer.connection.transport.abort()


async def replay_the_rest(peer: Peer) -> None:
    hello = await peer.welcome(resumed=True, last_request_id=1, resume_token="t2")
    assert hello["resume"]["token"] == "t1"
    for seq, text in ((1, None), (2, "Once "), (3, "more")):
        if seq > hello["resume"]["last_seq"] and text:
            await peer.send({"type": "reply_delta", "seq": seq, "id": 1, "reply": 1, "text": text})
    end = {"type": "reply_end", "seq": 4, "id": 1, "reply": 1, "npc": "bram", "text": "Once more"}
    await peer.send(end | {"finish_reason": "stop"})
    await peer.until_bye()


async def test_a_lost_connection_is_not_noticed_in_a_reply() -> None:
    async with (
        scripted_server(lose_in_mid_reply, replay_the_rest) as url,
        callsheet.connect(url, role="game", world="town", settings=QUICK) as game,
    ):
        reply = await game.say("bram", "Hello")
        assert "".join([text async for text in reply]) == "Once more"


async def test_a_lost_connection_is_not_noticed_in_a_reply_without_asyncio() -> None:
    def play(url: str) -> None:
        with blocking_module.connect(url, role="game", world="town", settings=QUICK) as game:
            assert "".join(game.say("bram", "Hello")) == "Once more"

    async with scripted_server(lose_in_mid_reply, replay_the_rest) as url:
        await asyncio.to_thread(play, url)


async def forget(peer: Peer) -> None:
    await peer.welcome(session="s2")
    await peer.until_bye()


async def test_a_session_that_is_gone_fails_the_reply_and_tells() -> None:
    async with (
        scripted_server(lose_in_mid_reply, forget) as url,
        callsheet.connect(url, role="game", world="town", settings=QUICK) as game,
    ):
        resets: asyncio.Queue[SessionReset] = asyncio.Queue()
        game.on(resets.put_nowait, SessionReset)
        reply = await game.say("bram", "Hello")
        with pytest.raises(SessionLostError):
            await reply
        assert await resets.get() == SessionReset("s2")
        assert reply.text == "Once "


async def refuse(peer: Peer) -> None:
    await peer.read("hello")
    await peer.send({"type": "error", "code": "unauthorized", "message": "wrong token"})
    await peer.connection.close(4001)


async def test_a_refusal_is_raised_on_entering() -> None:
    async with scripted_server(refuse, refuse) as url:
        with pytest.raises(callsheet.CallsheetError, match="wrong token"):
            async with callsheet.connect(url, role="game", world="town"):
                pass

        def enter() -> None:
            with blocking_module.connect(url, role="game", world="town"):
                pass

        with pytest.raises(callsheet.CallsheetError, match="wrong token"):
            await asyncio.to_thread(enter)


@pytest.fixture
async def nobody() -> str:
    """A URL where nothing listens."""
    async with scripted_server() as url:
        return url


async def test_no_server(nobody: str) -> None:
    settings = ClientSettings(connect_timeout_s=0.05)
    with pytest.raises(callsheet.ConnectFailedError, match="callsheet serve"):
        async with callsheet.connect(nobody, role="game", world="town", settings=settings):
            pass

    def enter() -> None:
        with blocking_module.connect(nobody, role="game", world="town", settings=settings):
            pass

    with pytest.raises(callsheet.ConnectFailedError, match="callsheet serve"):
        await asyncio.to_thread(enter)


async def never_answer(peer: Peer) -> None:
    await peer.read("hello")
    await peer.connection.wait_closed()


async def test_a_server_that_accepts_and_never_answers() -> None:
    settings = ClientSettings(connect_timeout_s=1.0, open_timeout_s=1.0, close_timeout_s=0.1)
    async with scripted_server(never_answer) as url:
        with pytest.raises(callsheet.ConnectFailedError, match=r"no welcome within 1 s"):
            async with callsheet.connect(url, role="game", world="town", settings=settings):
                pass


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_half_open_connection_is_left(blocking: bool) -> None:
    resumed = asyncio.Event()

    async def go_silent(peer: Peer) -> None:
        await peer.welcome(heartbeat_interval_s=0.05)
        peer.connection.transport.pause_reading()
        await resumed.wait()
        peer.connection.transport.abort()

    async def resume(peer: Peer) -> None:
        hello = await peer.welcome(resumed=True)
        assert hello["resume"]["session"] == "s1"
        resumed.set()
        await peer.until_bye()

    settings = QUICK.model_copy(update={"close_timeout_s": 0.2})

    async def play(url: str) -> None:
        async with callsheet.connect(url, role="game", world="town", settings=settings) as game:
            async for event in game.events(StateChanged):
                if event.state is SessionState.OPEN:
                    break
            assert game.welcome.resumed

    def play_blocking(url: str) -> None:
        with blocking_module.connect(url, role="game", world="town", settings=settings) as game:
            for event in game.events(StateChanged):
                if event.state is SessionState.OPEN:
                    break
            assert game.welcome.resumed

    async with scripted_server(go_silent, resume) as url:
        if blocking:
            await asyncio.to_thread(play_blocking, url)
        else:
            await play(url)


async def send_events(peer: Peer) -> None:
    await peer.welcome()
    subscribed = await peer.read("subscribe")
    await peer.send({"type": "ok", "seq": 1, "id": subscribed["id"]})
    for tick in range(4):
        await peer.send({"type": "tick_ack", "tick": tick, "game_time_s": 0.0})
    await peer.until_bye()


async def test_events_end_with_the_session() -> None:
    seen: list[int] = []
    async with scripted_server(send_events) as url:
        async with callsheet.connect(url, role="game", world="town") as game:

            async def read() -> None:
                async for event in game.events(TickAck):
                    seen.append(event.tick)
                    if len(seen) == 4:
                        all_seen.set()

            all_seen = asyncio.Event()
            reader = asyncio.create_task(read())
            await asyncio.sleep(0)
            await game.subscribe("stats")
            await all_seen.wait()
        await reader
    assert seen == [0, 1, 2, 3]


async def test_a_blocking_wait_ends() -> None:
    async def ignore(peer: Peer) -> None:
        await peer.welcome()
        await peer.read("explain")
        await peer.until_bye()

    def play(url: str) -> None:
        settings = ClientSettings(request_timeout_s=0.05)
        with (
            blocking_module.connect(url, role="game", world="town", settings=settings) as game,
            pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"),
        ):
            game.explain("bram")

    async with scripted_server(ignore) as url:
        await asyncio.to_thread(play, url)


async def test_closing_fails_what_is_open() -> None:
    async def ignore(peer: Peer) -> None:
        await peer.welcome()
        await peer.read("say")
        await peer.until_bye()

    async with scripted_server(ignore) as url:
        async with callsheet.connect(url, role="game", world="town") as game:
            reply = await game.say("bram", "Hello")
        with pytest.raises(callsheet.SessionClosedError):
            await reply
        with pytest.raises(callsheet.SessionClosedError):
            await game.say("bram", "Hello?")


def test_both_clients_have_the_same_surface() -> None:
    def surface(client: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(member).parameters) if callable(member) else []
            for name, member in vars(client).items()
            if not name.startswith("_") and name != "end"
        }

    assert surface(Client) == surface(BlockingClient)
    assert surface(Reply) == surface(BlockingReply)


def test_the_public_surface_is_sorted_and_light() -> None:
    assert callsheet.__all__ == sorted(callsheet.__all__)
