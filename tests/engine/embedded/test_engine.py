"""The engine as the server sees it, on a tiny random model."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine.conftest import StartEngine
from waiting import until

from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.embedded.runner import ModelRunner
from callsheet_server.engine.engine import GenerationEnd, Priority, Sampling
from callsheet_server.engine.errors import (
    ContextTooLongError,
    EngineOverloadedError,
    EngineUnavailableError,
    GenerationError,
    UnknownAdapterError,
    UnknownNpcError,
)
from callsheet_server.world.key import NpcKey
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


async def test_the_same_text_wherever_the_prefix_was(start_engine: StartEngine) -> None:
    talk = await start_engine()
    talk.engine.set_world_prefix("w", "A harbour town.")
    key = await talk.settled(talk.npc("Mara", PERSONAS[3]))
    cold, end = await talk.ask(key)
    assert len(cold) > 3
    assert (end.tier_at_start, end.cached_tokens) == (Tier.ABSENT, 0)
    for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK, Tier.ABSENT):
        await asyncio.to_thread(talk.prefixes.evict, key, tier)
        text, end = await talk.ask(key)
        assert (text, end.tier_at_start) == (cold, tier)
        assert end.cached_tokens > 0
        await asyncio.to_thread(talk.engine.check_integrity)
    for tier in (Tier.HOST, Tier.DISK, Tier.ABSENT):
        await asyncio.to_thread(talk.prefixes.evict, key, tier)
        await asyncio.to_thread(talk.prefixes.load, key, Tier.DEVICE)
        text, end = await talk.ask(key)
        assert (text, end.tier_at_start) == (cold, Tier.DEVICE)
        await asyncio.to_thread(talk.engine.check_integrity)


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


async def test_disk_state_outlives_the_engine(start_engine: StartEngine) -> None:
    first = await start_engine()
    key = first.npc("Mara", PERSONAS[2])
    text = await first.say(key)
    await asyncio.to_thread(first.prefixes.evict, key, Tier.DISK)
    await first.engine.close()
    second = await start_engine()
    await second.settled(second.npc("Mara", PERSONAS[2]))
    assert second.prefixes.tier(key) is Tier.DISK
    again, end = await second.ask(key)
    assert (again, end.tier_at_start) == (text, Tier.DISK)
    await asyncio.to_thread(second.prefixes.evict, key, Tier.DISK)
    await second.engine.close()
    third = await start_engine()
    await third.settled(third.npc("Mara", "Another persona."))
    assert third.prefixes.tier(key) is Tier.ABSENT


async def test_a_damaged_file_is_noticed_and_rebuilt(
    start_engine: StartEngine, tmp_path: Path
) -> None:
    talk = await start_engine()
    key = talk.npc("Mara", PERSONAS[2])
    text = await talk.say(key)
    await asyncio.to_thread(talk.prefixes.evict, key, Tier.DISK)
    (file,) = (tmp_path / "state").rglob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[-100] ^= 0xFF
    file.write_bytes(content)
    again, end = await talk.ask(key)
    assert again == text
    assert end.cached_tokens < 20  # the world's part alone
    assert talk.prefixes.tier(key) is Tier.DEVICE


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


async def test_cancel_ends_the_stream_at_once(start_engine: StartEngine) -> None:
    talk = await start_engine()
    key = talk.npc("Mara")
    request = talk.request(key, request_id="x", max_new_tokens=400, sampling=Sampling(seed=3))
    items = []
    async for item in talk.engine.submit(request):
        items.append(item)
        if len(items) == 2:
            assert talk.engine.cancel("x")
    end = items[-1]
    assert isinstance(end, GenerationEnd)
    assert end.finish_reason == "cancelled"
    assert end.generated_tokens < 400
    assert not talk.engine.cancel("x")


async def test_leaving_the_stream_early_cancels(start_engine: StartEngine) -> None:
    talk = await start_engine(max_batch=1)
    key = talk.npc("Mara")
    stream = talk.engine.submit(talk.request(key, max_new_tokens=400))
    await anext(stream)
    await stream.aclose()
    assert await talk.say(key, max_new_tokens=3)


async def test_forgetting_an_npc_cancels_its_requests(start_engine: StartEngine) -> None:
    talk = await start_engine()
    key = talk.npc("Mara")
    stream = talk.engine.submit(talk.request(key, max_new_tokens=400))
    await anext(stream)
    talk.engine.forget_npc(key)
    items = [item async for item in stream]
    assert isinstance(items[-1], GenerationEnd)
    assert items[-1].finish_reason == "cancelled"
    with pytest.raises(UnknownNpcError):
        await talk.ask(key)


async def test_stop_strings_end_the_text_before_them(start_engine: StartEngine) -> None:
    talk = await start_engine()
    key = talk.npc("Mara")
    text = await talk.say(key)
    stop = text[4:7]
    stopped, end = await talk.ask(key, stop=("nowhere", stop))
    assert stopped == text[: text.index(stop)]
    assert end.finish_reason == "stop"


async def test_length_is_kept(start_engine: StartEngine) -> None:
    talk = await start_engine()
    _, end = await talk.ask(talk.npc("Mara"), max_new_tokens=5)
    assert (end.finish_reason, end.generated_tokens) == ("length", 5)


async def test_a_seed_gives_the_same_text_in_any_company(start_engine: StartEngine) -> None:
    talk = await start_engine(max_batch=3)
    keys = [talk.npc(name) for name in ("Mara", "Tom", "Ida")]
    sampling = Sampling(temperature=1.0, top_p=0.9, top_k=50, seed=11)
    alone = await talk.say(keys[0], sampling=sampling)
    together = await asyncio.gather(*(talk.say(key, sampling=sampling) for key in keys))
    assert together[0] == alone
    assert await talk.say(keys[0], sampling=Sampling(temperature=1.0, seed=12)) != alone


async def test_json_schema_holds(start_engine: StartEngine) -> None:
    talk = await start_engine()
    schema = {
        "type": "object",
        "properties": {
            "mood": {"enum": ["good", "bad"]},
            "age": {"type": "integer", "maximum": 99},
        },
        "required": ["mood", "age"],
        "additionalProperties": False,
    }
    for seed in range(3):
        sampling = Sampling(temperature=1.0, seed=seed)
        text, end = await talk.ask(
            talk.npc("Mara"), json_schema=schema, sampling=sampling, max_new_tokens=120
        )
        value = json.loads(text)
        assert value["mood"] in {"good", "bad"}
        assert isinstance(value["age"], int)
        assert end.finish_reason == "stop"
    with pytest.raises(GenerationError, match="json_schema"):
        await talk.ask(talk.npc("Mara"), json_schema={"type": "nonsense"})


async def test_the_oldest_turns_are_left_out_whole(start_engine: StartEngine) -> None:
    talk = await start_engine(context_limit_tokens=256)
    key = talk.npc("Mara")
    last = Turn("Anna", "And now?")
    long = (Turn("Anna", "x" * 150), Turn(None, "y" * 20), last)
    assert await talk.say(key, long) == await talk.say(key, long[1:])
    with pytest.raises(ContextTooLongError, match="shorten"):
        await talk.ask(key, "z" * 300)


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


async def test_a_full_queue_says_when_to_come_back(start_engine: StartEngine) -> None:
    talk = await start_engine(max_batch=1, max_queue=1)
    key = talk.npc("Mara")
    tasks = [asyncio.create_task(talk.ask(key)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(EngineOverloadedError) as caught:
        await talk.ask(key)
    assert caught.value.retry_after_s > 0
    await asyncio.gather(*tasks)


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


async def test_loads_of_what_is_there_are_free(start_engine: StartEngine) -> None:
    talk = await start_engine()
    key = await talk.settled(talk.npc("Mara", PERSONAS[4]))
    twice = [asyncio.to_thread(talk.prefixes.load, key, Tier.DEVICE) for _ in range(2)]
    await asyncio.gather(*twice)
    assert await asyncio.to_thread(talk.prefixes.load, key, Tier.DEVICE) == 0
    assert talk.prefixes.tier(key) is Tier.DEVICE


async def test_errors_name_the_problem(start_engine: StartEngine) -> None:
    talk = await start_engine()
    with pytest.raises(UnknownNpcError):
        await talk.ask(NpcKey("w", "nobody"))
    with pytest.raises(UnknownAdapterError, match="known: none"):
        talk.npc("Mara", adapter="pirate")
    with pytest.raises(GenerationError, match="turns"):
        await talk.ask(talk.npc("Mara"), ())
    await talk.engine.close()
    await talk.engine.close()
    with pytest.raises(EngineUnavailableError):
        await talk.ask(NpcKey("w", "Mara"))


async def test_occupancy_and_info(start_engine: StartEngine) -> None:
    talk = await start_engine()
    await talk.say(talk.npc("Mara"))
    occupancy = talk.engine.occupancy()
    (device,) = (t for t in occupancy.tiers if t.kind is StateKind.PREFIX and t.tier is Tier.DEVICE)
    assert (device.items, occupancy.running, occupancy.queued) == (1, 0, 0)
    assert 0 < device.used_bytes <= device.budget_bytes
    assert talk.engine.info.device == "cpu"
