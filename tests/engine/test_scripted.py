from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import fields, replace
from typing import Any

import orjson
import pytest

from callsheet_residency.state import Tier
from callsheet_server.engine.engine import (
    Delta,
    Engine,
    GenerationEnd,
    GenerationRequest,
    NpcProfile,
    Priority,
)
from callsheet_server.engine.errors import (
    EngineOverloadedError,
    EngineUnavailableError,
    GenerationError,
    UnknownNpcError,
)
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings, ScriptedTraits
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Turn

NAMES = ("bob", "ida", "eve", "zoe", "broken")

TRAITS = {field.name for field in fields(ScriptedTraits)}


def key(npc: str) -> NpcKey:
    return NpcKey("w", npc)


def request(
    npc: str = "bob", text: str = "hello", number: int = 1, **fields: Any
) -> GenerationRequest:
    return GenerationRequest(f"{npc}/{number}", key(npc), (Turn("Ann", text),), **fields)


async def started(**settings: Any) -> ScriptedEngine:
    quick = {"token_delay_s": 0.0, "rebuild_s": 0.0, "fail_npcs": ("broken",)}
    chosen = {**quick, **settings}
    traits = {name: chosen.pop(name) for name in TRAITS & chosen.keys()}
    engine = ScriptedEngine(ScriptedSettings(**chosen), ScriptedTraits(**traits))
    await engine.start(lambda _: None)
    for name in NAMES:
        engine.put_npc(NpcProfile(key(name), name.title(), "A villager."))
    return engine


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    engine = await started()
    yield engine
    engine.check_integrity()
    assert (engine.occupancy().running, engine.occupancy().queued) == (0, 0)
    await engine.close()
    await engine.close()


async def run(engine: Engine, asked: GenerationRequest) -> tuple[str, GenerationEnd]:
    """The text, and the end: the last item and the only one of its kind."""
    async with aclosing(engine.submit(asked)) as stream:
        items = [item async for item in stream]
    *deltas, end = items
    assert isinstance(end, GenerationEnd)
    assert all(isinstance(item, Delta) for item in deltas)
    return "".join(item.text for item in deltas if isinstance(item, Delta)), end


async def test_it_is_an_engine(engine: ScriptedEngine) -> None:
    seam: Engine = engine
    assert seam.info.name == "scripted"
    assert len(seam.stores) == 1
    assert seam.adapters == frozenset()


async def test_the_same_question_gets_the_same_answer(engine: ScriptedEngine) -> None:
    first, end = await run(engine, request())
    again, _ = await run(engine, request(number=2))
    other, _ = await run(engine, request(text="goodbye", number=3))
    assert first == again != other
    assert end.finish_reason == "stop"
    assert end.generated_tokens == len(first.split(" "))
    assert end.prompt_tokens > 0


async def test_replies_end_at_a_length_or_before_a_stop_string(engine: ScriptedEngine) -> None:
    whole, _ = await run(engine, request())
    cut, end = await run(engine, request(number=2, max_new_tokens=2))
    assert (cut, end.finish_reason, end.generated_tokens) == (
        " ".join(whole.split(" ")[:2]),
        "length",
        2,
    )
    last = whole.split(" ")[-1]
    stopped, end = await run(engine, request(number=3, stop=(last,)))
    assert stopped == whole.partition(last)[0] != whole
    assert end.finish_reason == "stop"


async def test_a_schema_is_answered_with_one_valid_value(engine: ScriptedEngine) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    text, _ = await run(engine, request(json_schema=schema))
    assert orjson.loads(text) == {"n": 0}
    with pytest.raises(GenerationError):
        await run(engine, request(number=2, json_schema={"type": "string", "pattern": "^a$"}))


@pytest.mark.parametrize(
    ("heard", "chosen"),
    [("Please open the door!", "open_door"), ("Open your eyes and wave.", "wave")],
)
async def test_an_action_is_chosen_that_the_line_names(
    engine: ScriptedEngine, heard: str, chosen: str
) -> None:
    named = [{"properties": {"action": {"const": name}}} for name in ("none", "open_door", "wave")]
    schema = {"anyOf": [{"type": "object", "required": ["action"], **variant} for variant in named]}
    turns = (Turn("Ann", heard), Turn(None, "As you say."), Turn("narrator", "open door, wave"))
    text, _ = await run(engine, replace(request(json_schema=schema), turns=turns))
    assert orjson.loads(text) == {"action": chosen}


async def test_higher_priority_goes_first_then_who_came_first() -> None:
    engine = await started(max_running=1, token_delay_s=0.001)
    order: list[str] = []

    async def ask(npc: str, priority: Priority) -> None:
        await run(engine, request(npc, priority=priority))
        order.append(npc)

    async with asyncio.TaskGroup() as group:
        group.create_task(ask("bob", Priority.BACKGROUND))
        await asyncio.sleep(0)
        group.create_task(ask("ida", Priority.BACKGROUND))
        group.create_task(ask("eve", Priority.NPC))
        group.create_task(ask("zoe", Priority.PLAYER))
        await asyncio.sleep(0)
        assert (engine.occupancy().running, engine.occupancy().queued) == (1, 3)
    assert order == ["bob", "zoe", "eve", "ida"]
    engine.check_integrity()


async def test_beyond_the_queue_it_is_overloaded() -> None:
    engine = await started(max_running=1, max_queue=1, token_delay_s=0.005)
    tasks = [asyncio.create_task(run(engine, request(npc))) for npc in ("bob", "ida")]
    await asyncio.sleep(0)
    with pytest.raises(EngineOverloadedError) as raised:
        await run(engine, request("eve"))
    assert raised.value.retry_after_s > 0
    await asyncio.gather(*tasks)
    assert (await run(engine, request("eve")))[1].finish_reason == "stop"
    engine.check_integrity()


async def test_cancel_ends_the_stream_where_it_is(engine: ScriptedEngine) -> None:
    async with aclosing(engine.submit(request())) as stream:
        assert isinstance(await anext(stream), Delta)
        assert engine.cancel("bob/1")
        end = await anext(stream)
    assert isinstance(end, GenerationEnd)
    assert (end.finish_reason, end.generated_tokens) == ("cancelled", 1)
    assert not engine.cancel("bob/1")


async def test_leaving_early_gives_the_place_back() -> None:
    engine = await started(max_running=1)
    async with aclosing(engine.submit(request())) as stream:
        await anext(stream)
    assert (await run(engine, request("ida")))[1].finish_reason == "stop"
    engine.check_integrity()


async def test_one_who_waits_and_is_cancelled_leaves_the_queue() -> None:
    engine = await started(max_running=1, token_delay_s=0.005)
    first, second, third = (
        asyncio.create_task(run(engine, request(npc))) for npc in ("bob", "ida", "eve")
    )
    await asyncio.sleep(0)
    second.cancel()
    assert (await first)[1].finish_reason == "stop"
    assert (await third)[1].finish_reason == "stop"
    assert second.cancelled()
    engine.check_integrity()
    assert engine.occupancy().running == 0


async def test_a_failure_ends_its_own_request_only(engine: ScriptedEngine) -> None:
    failed, fine = await asyncio.gather(
        run(engine, request("broken")), run(engine, request("bob")), return_exceptions=True
    )
    assert isinstance(failed, GenerationError)
    assert not isinstance(fine, BaseException)
    assert fine[1].finish_reason == "stop"


async def test_forgetting_an_npc_cancels_it_and_drops_its_state(engine: ScriptedEngine) -> None:
    (store,) = engine.stores
    store.load(key("bob"), Tier.DEVICE)
    async with aclosing(engine.submit(request())) as stream:
        await anext(stream)
        engine.forget_npc(key("bob"))
        engine.forget_npc(key("bob"))
        end = await anext(stream)
    assert isinstance(end, GenerationEnd)
    assert (end.finish_reason, end.tier_at_start) == ("cancelled", Tier.DEVICE)
    assert store.tier(key("bob")) is Tier.ABSENT
    with pytest.raises(UnknownNpcError):
        await run(engine, request(number=2))


@pytest.mark.parametrize("change", ["persona", "lore", "nothing"])
async def test_a_prefix_is_void_when_what_it_was_built_from_changes(
    engine: ScriptedEngine, change: str
) -> None:
    (store,) = engine.stores
    store.load(key("bob"), Tier.DEVICE)
    store.take_changes()
    if change == "lore":
        list(engine.set_world_prefix("w", "A town."))
    else:
        persona = "A smith." if change == "persona" else "A villager."
        engine.put_npc(NpcProfile(key("bob"), "Bob", persona))
    assert store.tier(key("bob")) is (Tier.DEVICE if change == "nothing" else Tier.ABSENT)
    assert (key("bob") in store.take_changes()) == (change != "nothing")


async def test_one_that_is_not_running_is_unavailable() -> None:
    engine = ScriptedEngine()
    await engine.close()
    with pytest.raises(EngineUnavailableError):
        await run(engine, request())


async def test_closing_cancels_what_runs() -> None:
    engine = await started()
    async with aclosing(engine.submit(request())) as stream:
        await anext(stream)
        await engine.close()
        end = await anext(stream)
    assert isinstance(end, GenerationEnd)
    assert end.finish_reason == "cancelled"
