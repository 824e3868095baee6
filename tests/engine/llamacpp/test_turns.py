from __future__ import annotations

import asyncio

from callsheet_server.engine.engine import Priority
from callsheet_server.engine.llamacpp.turns import Turns


async def test_players_go_first_and_equals_in_the_order_of_their_coming() -> None:
    turns, order = Turns(1), []

    async def take(name: str, priority: Priority) -> None:
        async with turns.turn(int(priority)):
            order.append(name)

    async with turns.turn(0):
        waiting = [
            asyncio.create_task(take(name, priority))
            for name, priority in (
                ("background", Priority.BACKGROUND),
                ("npc", Priority.NPC),
                ("player", Priority.PLAYER),
                ("other player", Priority.PLAYER),
            )
        ]
        await asyncio.sleep(0)
        assert (turns.running, turns.waiting) == (1, 4)
    await asyncio.gather(*waiting)
    assert order == ["player", "other player", "npc", "background"]
    assert (turns.running, turns.waiting) == (0, 0)


async def test_who_gives_up_waiting_takes_no_turn() -> None:
    turns = Turns(1)
    async with turns.turn(0):
        waiting = [asyncio.create_task(turns.turn(0).__aenter__()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    await waiting[1]
    assert (turns.running, turns.waiting) == (1, 0)


async def test_who_is_cancelled_with_a_turn_in_hand_passes_it_on() -> None:
    turns = Turns(1)
    first = turns.turn(0)
    await first.__aenter__()
    waiting = asyncio.create_task(turns.turn(0).__aenter__())
    await asyncio.sleep(0)
    await first.__aexit__(None, None, None)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert turns.running == 0
