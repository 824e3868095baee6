"""Callbacks of the blocking client, and lists in the place of tuples."""

from __future__ import annotations

import asyncio
import threading

import callsheet
from callsheet import NpcSpec, PlayerSpec, ReplyEnd


async def test_a_request_from_a_callback_raises_at_once_and_the_client_goes_on(url: str) -> None:
    def play() -> None:
        with callsheet.blocking.connect(url, role="game", world="town") as game:
            game.spawn([NpcSpec(npc="bram", name="Bram")], [PlayerSpec(player="ann", name="Ann")])
            raised: list[Exception] = []
            ended = threading.Event()

            def told(end: ReplyEnd) -> None:
                for request in (lambda: game.explain("bram"), game.say("bram", "And?").end):
                    try:
                        request()
                    except RuntimeError as error:
                        raised.append(error)
                ended.set()

            off = game.on(told, ReplyEnd)
            game.say("bram", "Hello!", speaker="ann").end()
            assert ended.wait(30.0)
            off()
            assert ["may not wait for the server" in str(error) for error in raised] == [True, True]
            assert game.explain("bram").npc == "bram"

    await asyncio.to_thread(play)


def test_lists_do_for_tuples() -> None:
    listed = NpcSpec(npc="bram", name="Bram", position=[1, 2, 3], actions=["wave"])
    assert listed == NpcSpec(npc="bram", name="Bram", position=(1, 2, 3), actions=("wave",))
