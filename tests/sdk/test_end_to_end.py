"""The SDK against the real server."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sdk.conftest import Cable
from waiting import PATIENCE_S

import callsheet
from callsheet import NpcSpec, PlayerSpec, ReplyEnd, SessionState, StateChanged, TickAck
from callsheet import blocking as blocking_module

QUICK = callsheet.ClientSettings(backoff_max_s=0.02, backoff_min_s=0.02)
NPCS = [NpcSpec(npc=f"n{i}", name=f"N{i}") for i in range(2_500)]
ANN = PlayerSpec(player="ann", name="Ann")


async def test_a_town_through_asyncio(url: str) -> None:
    async with callsheet.connect(url, role="game", world="town") as game:
        await game.configure_world(lore="A small town.", player_max_speed_mps=5.0)
        handles = await game.spawn(NPCS, [ANN])
        assert len(set(handles.npcs.values())) == len(NPCS)
        acks: asyncio.Queue[TickAck] = asyncio.Queue()
        game.on(acks.put_nowait, TickAck)
        at = [[float(i), 0.0, 0.0] for i in range(len(NPCS))]
        for game_time_s in (1.0, 2.0):
            tick = await game.send_tick(
                game_time_s,
                list(handles.npcs.values()),
                at,
                player_handles=list(handles.players.values()),
                player_positions_m=[[0.0, 0.0, 0.0]],
                ack=True,
            )
            assert (await acks.get()).tick == tick
        explained = await game.explain("n0")
        assert explained.game_time_s == 2.0
        assert {one.name for one in explained.estimators} >= {"proximity", "schedule"}

        reply = await game.say("n0", "Good day.", speaker="ann")
        pieces = [text async for text in reply]
        end = await reply
        assert ("".join(pieces), end.finish_reason) == (end.text, "stop")
        assert len(pieces) > 1

        cancelled = await game.say("n1", "Tell me a story.", speaker="ann")
        async for _ in cancelled:
            cancelled.cancel()
        assert (await cancelled).finish_reason == "cancelled"

        with pytest.raises(callsheet.CallsheetError, match="nobody") as caught:
            await (await game.say("nobody", "Hello?"))
        assert caught.value.code == callsheet.ErrorCode.UNKNOWN_NPC
        await game.despawn(handles.npcs, handles.players)


async def test_a_town_without_asyncio(url: str) -> None:
    def play() -> None:
        with blocking_module.connect(url, role="game", world="town") as game:
            handles = game.spawn(NPCS[:3], [ANN])
            game.send_tick(1.0, list(handles.npcs.values()), [[0.0, 0.0, 0.0]] * 3)
            reply = game.say("n0", "Good day.", speaker="ann")
            assert "".join(reply) == reply.end().text != ""
            assert game.explain("n0").npc == "n0"
            with pytest.raises(callsheet.CallsheetError, match="unknown_npc"):
                game.update_npc("nobody", name="Nobody")

    await asyncio.to_thread(play)


async def test_a_reply_survives_a_pulled_cable(cable: tuple[str, Cable]) -> None:
    url, wire = cable
    async with callsheet.connect(url, role="game", world="town", settings=QUICK) as game:
        handles = await game.spawn(NPCS[:2], [ANN])
        npcs = list(handles.npcs.values())
        await game.send_tick(1.0, npcs, [[0.0, 0.0, 0.0]] * 2)
        opened: asyncio.Queue[StateChanged] = asyncio.Queue()
        game.on(opened.put_nowait, StateChanged)
        pieces = []
        reply = await game.say("n0", "Tell me of the old mill.", speaker="ann")
        async for text in reply:
            pieces.append(text)
            if len(pieces) == 2:
                wire.pull()
                await game.send_tick(2.0, npcs, [[1.0, 0.0, 0.0]] * 2)
        assert "".join(pieces) == (await reply).text
        assert game.welcome.resumed
        while (await opened.get()).state is not SessionState.OPEN:
            pass
        # The tick that was sent without a connection has arrived, as a keyframe.
        assert (await game.explain("n0")).game_time_s == 2.0


async def test_a_reply_survives_a_pulled_cable_without_asyncio(cable: tuple[str, Cable]) -> None:
    url, wire = cable
    loop = asyncio.get_running_loop()

    def play() -> None:
        with blocking_module.connect(url, role="game", world="town", settings=QUICK) as game:
            game.spawn(NPCS[:1], [ANN])
            pieces = []
            reply = game.say("n0", "Tell me of the old mill.", speaker="ann")
            for text in reply:
                pieces.append(text)
                if len(pieces) == 2:
                    loop.call_soon_threadsafe(wire.pull)
            assert "".join(pieces) == reply.end().text
            assert game.explain("n0").npc == "n0"

    await asyncio.to_thread(play)
    assert wire.pulled == 1


async def test_observers_see_replies(url: str) -> None:
    async with (
        callsheet.connect(url, role="game", world="town") as game,
        callsheet.connect(url, role="observer", world="town") as observer,
    ):
        ends: asyncio.Queue[ReplyEnd] = asyncio.Queue()
        observer.on(ends.put_nowait, ReplyEnd)
        await observer.subscribe("replies")
        await game.spawn(NPCS[:1])
        end = await (await game.speak("n0", "A fine day."))
        assert (await ends.get()).text == end.text == "A fine day."
        with pytest.raises(callsheet.CallsheetError) as caught:
            await observer.spawn(NPCS[:1])
        assert caught.value.code == callsheet.ErrorCode.FORBIDDEN


async def test_a_second_game_is_refused(url: str) -> None:
    async with callsheet.connect(url, role="game", world="town"):
        settings = callsheet.ClientSettings(connect_timeout_s=0.2)
        with pytest.raises(callsheet.CallsheetError) as caught:
            async with callsheet.connect(url, role="game", world="town", settings=settings):
                pass
        assert caught.value.code == callsheet.ErrorCode.WORLD_TAKEN


async def test_a_dropped_connection_is_resumed(url: str) -> None:
    async with callsheet.connect(url, role="game", world="town") as game:
        session = game.welcome.session
        back = game.events(StateChanged)
        game.drop_connection()
        async for event in back:
            if event.state is SessionState.OPEN:
                break
        assert (game.welcome.resumed, game.welcome.session) == (True, session)


async def test_a_dropped_connection_is_resumed_without_asyncio(url: str) -> None:
    def play() -> None:
        with blocking_module.connect(url, role="game", world="town") as game:
            session = game.welcome.session
            opened = threading.Event()

            def changed(event: StateChanged) -> None:
                if event.state is SessionState.OPEN:
                    opened.set()

            game.on(changed, StateChanged)
            game.drop_connection()
            assert opened.wait(PATIENCE_S)
            assert (game.welcome.resumed, game.welcome.session) == (True, session)

    await asyncio.to_thread(play)
