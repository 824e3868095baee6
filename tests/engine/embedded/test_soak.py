"""Everything at once: requests, cancellations, moves and changed personas, for a while."""

from __future__ import annotations

import asyncio
import random

from engine.conftest import StartEngine
from engine.harness import Talk

from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import Tier
from callsheet_server.engine.engine import Priority
from callsheet_server.world.key import NpcKey

NPCS = 10
BLOCK_BYTES = 2 * 2 * 2 * 8 * 16 * 4


def announce(talk: Talk) -> list[NpcKey]:
    talk.engine.set_world_prefix("a", "A harbour town.")
    return [
        talk.npc(f"npc{i}", f"Number {i}. " + "Likes rain. " * (i % 5), world=world)
        for world in ("a", "b")
        for i in range(NPCS)
    ]


async def test_no_order_of_events_changes_what_is_said(start_engine: StartEngine) -> None:
    draw = random.Random(4)
    calm = await start_engine(keep_conversation=False)
    talk = await start_engine(
        max_batch=3,
        max_queue=500,
        prefill_chunk_tokens=8,
        device_budget_bytes=40 * BLOCK_BYTES,
        host_budget_bytes=30 * BLOCK_BYTES,
        disk_budget_bytes=30 * BLOCK_BYTES,
    )
    keys = announce(talk)
    assert announce(calm) == keys
    wanted = {key: await calm.say(key, max_new_tokens=12) for key in keys}
    done = 0

    async def ask() -> None:
        nonlocal done
        key = draw.choice(keys)
        priority = draw.choice(list(Priority))
        if draw.random() < 0.2:
            stream = talk.engine.submit(talk.request(key, max_new_tokens=300, priority=priority))
            for _ in range(draw.randrange(3)):
                await anext(stream)
            await stream.aclose()
            return
        assert await talk.say(key, max_new_tokens=12, priority=priority) == wanted[key]
        done += 1

    async def move() -> None:
        key, tier = draw.choice(keys), draw.choice(list(Tier))
        up = draw.random() < 0.5 and tier is not Tier.ABSENT
        step = talk.prefixes.load if up else talk.prefixes.evict
        try:
            await asyncio.to_thread(step, key, tier)
        except ResidencyError:
            return

    async def repeat(what: str, times: int) -> None:
        for _ in range(times):
            await (ask() if what == "ask" else move())

    await asyncio.gather(*(repeat("ask", 12) for _ in range(6)), repeat("move", 60))
    await asyncio.to_thread(talk.engine.check_integrity)
    assert done > 40
