"""Promises of every engine that runs a model on this machine, on a tiny random model."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from engine.conftest import StartEngine

from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.engine import GenerationEnd, Sampling
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

PERSONAS = [f"Number {i}. " + "Likes fish, rain and long letters. " * i for i in range(5)]


async def test_the_same_text_wherever_the_prefix_was(start_local: StartEngine) -> None:
    talk = await start_local()
    talk.engine.set_world_prefix("w", "A harbour town where it always rains.")
    key = await talk.settled(talk.npc("Mara", PERSONAS[3]))
    cold, end = await talk.ask(key)
    assert len(cold) > 3
    assert (end.tier_at_start, end.cached_tokens) == (Tier.ABSENT, 0)
    for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK, Tier.ABSENT):
        await asyncio.to_thread(talk.store.evict, key, tier)
        text, end = await talk.ask(key)
        assert (text, end.tier_at_start) == (cold, tier)
        assert end.cached_tokens > 0
        await asyncio.to_thread(talk.engine.check_integrity)
    for tier in (Tier.HOST, Tier.DISK, Tier.ABSENT):
        await asyncio.to_thread(talk.store.evict, key, tier)
        await asyncio.to_thread(talk.store.load, key, Tier.DEVICE)
        text, end = await talk.ask(key)
        assert (text, end.tier_at_start) == (cold, Tier.DEVICE)
        await asyncio.to_thread(talk.engine.check_integrity)


async def test_disk_state_outlives_the_engine(start_local: StartEngine) -> None:
    first = await start_local()
    key = first.npc("Mara", PERSONAS[2])
    text = await first.say(key)
    await asyncio.to_thread(first.store.evict, key, Tier.DISK)
    await first.engine.close()
    second = await start_local()
    await second.settled(second.npc("Mara", PERSONAS[2]))
    assert second.store.tier(key) is Tier.DISK
    again, end = await second.ask(key)
    assert (again, end.tier_at_start) == (text, Tier.DISK)
    await asyncio.to_thread(second.store.evict, key, Tier.DISK)
    await second.engine.close()
    third = await start_local()
    await third.settled(third.npc("Mara", "Another persona."))
    assert third.store.tier(key) is Tier.ABSENT


async def test_a_damaged_file_is_noticed_and_rebuilt(
    start_local: StartEngine, tmp_path: Path
) -> None:
    talk = await start_local()
    key = talk.npc("Mara", PERSONAS[2])
    text = await talk.say(key)
    await asyncio.to_thread(talk.store.evict, key, Tier.DISK)
    (file,) = (tmp_path / "state").rglob("*.*")
    content = bytearray(file.read_bytes())
    content[-100] ^= 0xFF
    file.write_bytes(content)
    again, end = await talk.ask(key)
    assert again == text
    assert end.cached_tokens < 20  # the world's part alone
    assert talk.store.tier(key) is Tier.DEVICE


async def test_cancel_ends_the_stream_at_once(start_local: StartEngine) -> None:
    talk = await start_local()
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


async def test_leaving_the_stream_early_cancels(start_local: StartEngine) -> None:
    talk = await start_local(max_batch=1)
    key = talk.npc("Mara")
    stream = talk.engine.submit(talk.request(key, max_new_tokens=400))
    await anext(stream)
    await stream.aclose()
    assert await talk.say(key, max_new_tokens=3)


async def test_forgetting_an_npc_cancels_its_requests(start_local: StartEngine) -> None:
    talk = await start_local()
    key = talk.npc("Mara")
    stream = talk.engine.submit(talk.request(key, max_new_tokens=400))
    await anext(stream)
    talk.engine.forget_npc(key)
    items = [item async for item in stream]
    assert isinstance(items[-1], GenerationEnd)
    assert items[-1].finish_reason == "cancelled"
    with pytest.raises(UnknownNpcError):
        await talk.ask(key)


async def test_stop_strings_end_the_text_before_them(start_local: StartEngine) -> None:
    talk = await start_local()
    key = talk.npc("Mara")
    text = await talk.say(key)
    stop = text[4:7]
    stopped, end = await talk.ask(key, stop=("nowhere", stop))
    assert stopped == text[: text.index(stop)]
    assert end.finish_reason == "stop"


async def test_length_is_kept(start_local: StartEngine) -> None:
    talk = await start_local()
    _, end = await talk.ask(talk.npc("Mara"), max_new_tokens=5)
    assert (end.finish_reason, end.generated_tokens) == ("length", 5)


async def test_a_seed_gives_the_same_text_in_any_company(start_local: StartEngine) -> None:
    talk = await start_local(max_batch=3)
    keys = [talk.npc(name) for name in ("Mara", "Tom", "Ida")]
    sampling = Sampling(temperature=1.0, top_p=0.9, top_k=50, seed=11)
    alone = await talk.say(keys[0], sampling=sampling)
    together = await asyncio.gather(*(talk.say(key, sampling=sampling) for key in keys))
    assert together[0] == alone
    assert await talk.say(keys[0], sampling=Sampling(temperature=1.0, seed=12)) != alone


async def test_json_schema_holds(start_local: StartEngine) -> None:
    talk = await start_local()
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


async def test_the_oldest_turns_are_left_out_whole(start_local: StartEngine) -> None:
    talk = await start_local(context_limit_tokens=256)
    key = talk.npc("Mara")
    last = Turn("Anna", "And now?")
    long = (Turn("Anna", "x" * 150), Turn(None, "y" * 20), last)
    assert await talk.say(key, long) == await talk.say(key, long[1:])
    with pytest.raises(ContextTooLongError, match="shorten"):
        await talk.ask(key, "z" * 300)


async def test_a_full_queue_says_when_to_come_back(start_local: StartEngine) -> None:
    talk = await start_local(max_batch=1, max_queue=1)
    key = talk.npc("Mara")
    tasks = [asyncio.create_task(talk.ask(key)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(EngineOverloadedError) as caught:
        await talk.ask(key)
    assert caught.value.retry_after_s > 0
    await asyncio.gather(*tasks)


async def test_loads_of_what_is_there_are_free(start_local: StartEngine) -> None:
    talk = await start_local()
    key = await talk.settled(talk.npc("Mara", PERSONAS[4]))
    twice = [asyncio.to_thread(talk.store.load, key, Tier.DEVICE) for _ in range(2)]
    await asyncio.gather(*twice)
    assert await asyncio.to_thread(talk.store.load, key, Tier.DEVICE) == 0
    assert talk.store.tier(key) is Tier.DEVICE


async def test_errors_name_the_problem(start_local: StartEngine) -> None:
    talk = await start_local()
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


async def test_occupancy_and_info(start_local: StartEngine) -> None:
    talk = await start_local()
    await talk.say(talk.npc("Mara"))
    occupancy = talk.engine.occupancy()
    (device,) = (t for t in occupancy.tiers if t.kind is StateKind.PREFIX and t.tier is Tier.DEVICE)
    assert (device.items, occupancy.running, occupancy.queued) == (1, 0, 0)
    assert 0 < device.used_bytes <= device.budget_bytes
    assert talk.engine.info.device == "cpu"
