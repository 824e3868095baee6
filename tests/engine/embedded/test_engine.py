"""The engine as the server sees it, on a tiny random model."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pytest
from engine.conftest import StartEngine
from waiting import until

from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.runner import ModelRunner
from callsheet_server.engine.engine import Priority
from callsheet_server.world.memory import Turn

SLOW_STEP_S = 0.02
"""A step's length that keeps a request of hundreds of tokens under way until the test ends it."""
PERSONAS = [f"Number {i}. " + "Likes fish, rain and long letters. " * i for i in range(5)]


class Computing:
    """Watches what an engine's model computes, and may slow it down."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.tokens = 0
        self.step_s = 0.0


@pytest.fixture
async def computing(monkeypatch: pytest.MonkeyPatch) -> Computing:
    watch, loop, forward = Computing(), asyncio.get_running_loop(), ModelRunner.forward

    def watched(self: ModelRunner, rows: slice, tokens: list[list[int]], *rest: Any) -> Any:
        watch.tokens += len(tokens[0])
        loop.call_soon_threadsafe(watch.begun.set)
        time.sleep(watch.step_s)
        return forward(self, rows, tokens, *rest)

    monkeypatch.setattr(ModelRunner, "forward", watched)
    return watch


async def test_a_batch_says_what_each_says_alone(start_engine: StartEngine) -> None:
    talk = await start_engine(max_batch=3)
    talk.engine.set_world_prefix("w", "A harbour town.")
    keys = [talk.npc(f"npc{i}", persona) for i, persona in enumerate(PERSONAS)]
    alone = [await talk.say(key, max_new_tokens=10 + 7 * i) for i, key in enumerate(keys)]
    assert len(set(alone)) == len(alone)
    for tier in (Tier.DEVICE, Tier.ABSENT):
        for key in keys:
            await asyncio.to_thread(talk.prefixes.evict, key, tier)
        together = await asyncio.gather(
            *(talk.say(key, max_new_tokens=10 + 7 * i) for i, key in enumerate(keys))
        )
        assert together == alone


async def test_the_next_turn_computes_only_what_is_new(start_engine: StartEngine) -> None:
    talk = await start_engine()
    plain = await start_engine(keep_conversation=False)
    key = talk.npc("Mara")
    plain.npc("Mara")
    turns: tuple[Turn, ...] = (Turn("Anna", "Hello?"),)
    for words in ("And then?", "What else?", "Good bye."):
        text, end = await talk.ask(key, turns)
        assert text == await plain.say(key, turns)
        assert end.prompt_tokens - end.cached_tokens < 60 or end.tier_at_start is Tier.ABSENT
        turns = (*turns, Turn(None, text), Turn("Anna", words))
    assert talk.prefixes.size_bytes(key) > plain.prefixes.size_bytes(key)
    await asyncio.to_thread(talk.engine.check_integrity)


async def test_no_room_on_the_device_is_made_or_done_without(start_engine: StartEngine) -> None:
    block = 2 * 2 * 2 * 8 * 16 * 4
    talk = await start_engine(device_budget_bytes=12 * block, keep_conversation=False)
    near = talk.npc("near", "N" * 60)
    far = talk.npc("far", "F" * 60)
    text = await talk.say(near), await talk.say(far)
    talk.engine.publish("w", ("near", "far"), np.array([1, 9], dtype=np.float32))
    third = talk.npc("third", "T" * 60)
    await talk.say(third)
    await asyncio.to_thread(talk.engine.check_integrity)
    assert talk.prefixes.tier(near) is Tier.DEVICE
    assert talk.prefixes.tier(far) is Tier.HOST
    assert (await talk.say(near), await talk.say(far)) == text
    huge = talk.npc("huge", "H" * 300)
    assert talk.prefixes.transient_runs == 0
    first = await talk.say(huge)
    assert talk.prefixes.transient_runs == 1
    assert await talk.say(huge) == first
    await asyncio.to_thread(talk.engine.check_integrity)


async def test_players_go_first(start_engine: StartEngine, computing: Computing) -> None:
    talk = await start_engine(max_batch=1)
    order: list[str] = []

    async def ask(name: str, priority: Priority) -> None:
        await talk.ask(talk.npc(name), priority=priority, max_new_tokens=8)
        order.append(name)

    running = talk.engine.submit(talk.request(talk.npc("first"), max_new_tokens=400))
    await anext(running)
    computing.step_s = SLOW_STEP_S
    waiting = [
        asyncio.create_task(ask(name, priority))
        for name, priority in (
            ("background", Priority.BACKGROUND),
            ("npc", Priority.NPC),
            ("player", Priority.PLAYER),
        )
    ]
    await asyncio.sleep(0)
    await talk.settled(talk.npc("last"))  # by now the prompts of those before it are built
    for _ in range(3):
        await asyncio.sleep(0)
    computing.step_s = 0.0
    await running.aclose()
    await asyncio.gather(*waiting)
    assert order == ["player", "npc", "background"]


async def test_loading_while_a_request_needs_the_same_prefix(
    start_engine: StartEngine, computing: Computing
) -> None:
    talk = await start_engine(prefill_chunk_tokens=4)
    key = await talk.settled(talk.npc("Mara", PERSONAS[4]))
    text = await talk.say(key)
    await asyncio.to_thread(talk.prefixes.evict, key, Tier.ABSENT)
    computing.begun.clear()
    load = asyncio.create_task(asyncio.to_thread(talk.prefixes.load, key, Tier.DEVICE))
    await computing.begun.wait()
    assert await talk.say(key) == text
    assert await load > 0
    assert talk.prefixes.tier(key) is Tier.DEVICE


@pytest.mark.parametrize("first", ["load", "request"])
async def test_a_prefix_is_computed_once(
    start_engine: StartEngine, computing: Computing, first: str
) -> None:
    talk = await start_engine(prefill_chunk_tokens=4)
    key = await talk.settled(talk.npc("Mara", PERSONAS[4]))
    computing.tokens = 0
    computing.begun.clear()
    load = asyncio.to_thread(talk.prefixes.load, key, Tier.DEVICE)
    steps = {"load": load, "request": talk.ask(key, max_new_tokens=1)}
    leading = asyncio.create_task(steps.pop(first))
    await computing.begun.wait()
    (following,) = steps.values()
    results = [await following, await leading]
    end = next(result[1] for result in results if isinstance(result, tuple))
    assert computing.tokens <= end.prompt_tokens + 4


async def test_closing_ends_what_runs_and_what_waits(
    start_engine: StartEngine, computing: Computing
) -> None:
    talk = await start_engine(max_batch=1, prefill_chunk_tokens=1)
    mara, tom = [await talk.settled(talk.npc(name, PERSONAS[4])) for name in ("Mara", "Tom")]
    computing.step_s = SLOW_STEP_S
    asking = asyncio.create_task(talk.ask(mara, max_new_tokens=300))
    await until(lambda: talk.engine.occupancy().running == 1)
    load = asyncio.create_task(asyncio.to_thread(talk.prefixes.load, tom, Tier.DEVICE))
    await talk.engine.close()
    _, end = await asking
    assert end.finish_reason == "cancelled"
    with pytest.raises(ResidencyError, match="closing"):
        await load
