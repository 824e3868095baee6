"""An engine that goes down and comes back, and NPCs that fail, seen from a game."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from server.client import Client
from server.conftest import StartServer

from callsheet.wire import Error, ErrorCode, ReplyDelta, ReplyEnd, TickAck
from callsheet_server.engine.engine import Delta, GenerationEnd, GenerationRequest
from callsheet_server.engine.errors import EngineUnavailableError
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings, ScriptedTraits


class LostEngine(ScriptedEngine):
    """Works, until ``down``: then what runs breaks off and what comes is refused."""

    def __init__(self, token_delay_s: float = 0.0) -> None:
        super().__init__(
            ScriptedSettings(token_delay_s=token_delay_s, rebuild_s=0.0),
            ScriptedTraits(max_running=1),
        )
        self.down = asyncio.Event()

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        if self.down.is_set():
            raise EngineUnavailableError("the model server does not answer")
        stream = super().submit(request)
        lost = asyncio.create_task(self.down.wait())
        try:
            while True:
                step = asyncio.ensure_future(anext(stream))
                await asyncio.wait({step, lost}, return_when=asyncio.FIRST_COMPLETED)
                if not step.done():
                    step.cancel()
                    await asyncio.gather(step, return_exceptions=True)
                    raise EngineUnavailableError("the model server has gone away")
                item = step.result()
                yield item
                if isinstance(item, GenerationEnd):
                    return
        finally:
            lost.cancel()
            await stream.aclose()


async def test_requests_fail_fast_ticks_go_on_and_it_recovers(start_server: StartServer) -> None:
    engine = LostEngine(token_delay_s=0.01)
    server = await start_server(engine)
    async with Client(server.port) as game:
        spawned = await game.spawn("bob", "ida")
        handles = [npc.handle for npc in spawned.npcs]
        running, waiting = await game.say("bob"), await game.say("ida")
        await game.get(ReplyDelta)
        engine.down.set()

        end = await game.reply(running)
        assert (end.finish_reason, end.code) == ("error", ErrorCode.ENGINE_UNAVAILABLE)
        assert end.message == "the model server has gone away"
        assert end.text, "what was said before stands"
        refused = await game.get(Error, id=waiting)
        assert (refused.code, bool(refused.retry_after_s)) == (ErrorCode.ENGINE_UNAVAILABLE, True)

        for number in range(20):
            asked = await game.say("bob")
            assert (await game.get(Error, id=asked)).code == ErrorCode.ENGINE_UNAVAILABLE
            await game.tick(handles, [[number, 0.0, 0.0]] * 2, game_time_s=float(number))
        assert (await game.get(TickAck, tick=20)).game_time_s == 19.0
        assert server.pages["/metrics"]().status == 200

        engine.down.clear()
        back = await game.reply(await game.say("bob", "Are you there?"))
        assert back.finish_reason == "stop"
        turns = [turn.text for turn in server.rooms["town"].memory.turns("bob")]
        assert turns == ["good day", end.text, "Are you there?", back.text]
        assert not any(m.code == ErrorCode.INTERNAL for m in game.received if isinstance(m, Error))
        told = server.sessions.errors()[ErrorCode.ENGINE_UNAVAILABLE]
        assert told == 21  # And the one that broke off, counted with the replies.


async def test_a_world_that_starts_while_the_engine_is_down_works_when_it_is_back(
    start_server: StartServer,
) -> None:
    engine = LostEngine()
    server = await start_server(engine)
    engine.down.set()
    async with Client(server.port) as game, Client(server.port, role="observer") as observer:
        spawned = await game.spawn("bob")
        await game.tick([spawned.npcs[0].handle], [0.0, 0.0, 0.0])
        await game.get(TickAck)
        engine.down.clear()
        assert (await game.reply(await game.say("bob"))).finish_reason == "stop"
        await observer.settle()


async def test_npcs_that_fail_and_npcs_that_do_not_share_a_server(
    start_server: StartServer,
) -> None:
    engine = ScriptedEngine(
        ScriptedSettings(token_delay_s=0.001, rebuild_s=0.0),
        ScriptedTraits(fail_npcs=("n3", "n7")),
    )
    server = await start_server(engine)
    async with Client(server.port) as game, Client(server.port, world="other") as other:
        names = [f"n{number}" for number in range(30)]
        await game.spawn(*names)
        await other.spawn("n3x")
        asked = {await game.say(name): name for name in names}
        for number, name in asked.items():
            end = await game.get(ReplyEnd, id=number)
            failed = (end.finish_reason, end.code) == ("error", ErrorCode.GENERATION_FAILED)
            assert failed == (name in ("n3", "n7"))
        assert (await other.reply(await other.say("n3x"))).finish_reason == "stop"
        metrics = server.pages["/metrics"]().body.decode()
        assert 'callsheet_errors_total{code="generation_failed"} 2.0' in metrics
