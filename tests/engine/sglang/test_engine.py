"""The engine against a fake SGLang: a real process, real sockets, failures on demand."""

from __future__ import annotations

import asyncio
import functools
import math
import os
import signal
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from engine.harness import Talk, save_adapter, tiny_tokenizer
from engine.sglang.conftest import StartSglang
from pydantic import SecretStr
from waiting import until

from callsheet_residency.actions import Load
from callsheet_residency.state import Tier
from callsheet_server.engine.engine import Delta, Engine, GenerationEnd, Priority, Sampling
from callsheet_server.engine.errors import (
    ContextTooLongError,
    EngineError,
    EngineOverloadedError,
    EngineStartError,
    EngineUnavailableError,
    GenerationError,
    UnknownAdapterError,
    UnknownNpcError,
)
from callsheet_server.engine.sglang.engine import SglangEngine
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.engine.sglang.timing import Timing
from callsheet_server.world.key import NpcKey

TEXT = "well met, stranger. What brings you here? Sit down. "


async def test_it_streams_what_sglang_says(start_sglang: StartSglang) -> None:
    talk, fake = await start_sglang()
    engine: Engine = talk.engine
    assert (engine.info.name, engine.info.model, engine.stores) == ("sglang", "fake", ())
    assert "0.5.23" in engine.info.version
    assert engine.info.context_limit_tokens == 1000
    mara = talk.npc("mara")
    text, end = await talk.ask(mara)
    assert (text, end.finish_reason, end.generated_tokens) == (TEXT, "stop", 9)
    assert end.tier_at_start is Tier.ABSENT
    assert 0 < end.ttft_s <= end.total_s
    cut, end = await talk.ask(mara, max_new_tokens=2)
    assert (cut, end.finish_reason, end.tier_at_start) == ("well met, ", "length", Tier.DEVICE)
    assert end.cached_tokens == end.prompt_tokens - 1
    assert (engine.occupancy().running, engine.occupancy().queued) == (0, 0)
    first, second = fake.seen()["requests"]
    assert first["session_id"] == second["session_id"] == "npc-0"
    assert len(first["rid"]) == len(second["rid"])


@pytest.fixture(scope="module")
def smith_adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(tmp_path_factory.mktemp("adapters") / "smith", tiny_model, ["q_proj"])


async def test_an_adapter_that_sglang_would_misapply_stops_the_start(
    start_sglang: StartSglang, tiny_model: Path, tmp_path: Path
) -> None:
    folder = save_adapter(tmp_path / "x", tiny_model, ["q_proj"], use_rslora=True)
    with pytest.raises(EngineStartError, match=r"sglang\.adapters\.x: .* has use_rslora = true"):
        await start_sglang(adapters={"x": str(folder)})


async def test_a_request_carries_what_was_asked_for(
    start_sglang: StartSglang, smith_adapter: Path
) -> None:
    talk, fake = await start_sglang(adapters={"smith": str(smith_adapter)})
    smith = talk.npc("joe", adapter="smith")
    schema = {"type": "object"}
    text, _ = await talk.ask(
        smith,
        json_schema=schema,
        stop=("#",),
        priority=Priority.BACKGROUND,
        sampling=Sampling(temperature=0.5, top_p=0.8, top_k=7, repetition_penalty=1.3, seed=5),
    )
    assert orjson.loads(text) == {"n": 1}
    (request,) = fake.seen()["requests"]
    assert request["lora_path"] == "smith"
    assert request["priority"] == 2
    assert request["sampling_params"] == {
        "max_new_tokens": 24,
        "temperature": 0.5,
        "top_p": 0.8,
        "top_k": 7,
        "repetition_penalty": 1.3,
        "sampling_seed": 5,
        "stop": ["#"],
        "no_stop_trim": True,
        "json_schema": orjson.dumps(schema).decode(),
    }
    with pytest.raises(UnknownAdapterError, match="smith"):
        talk.npc("ann", adapter="singer")


async def test_no_stop_string_gets_through_not_in_part(start_sglang: StartSglang) -> None:
    talk, fake = await start_sglang()
    text, end = await talk.ask(talk.npc("mara"), stop=("stranger. What",))
    assert (text, end.finish_reason) == ("well met, ", "stop")
    await until(lambda: len(fake.seen()["aborted"]) == 1)


async def test_npcs_of_a_world_share_the_beginning_of_their_prompts(
    start_sglang: StartSglang,
) -> None:
    talk, fake = await start_sglang()
    talk.engine.set_world_prefix("w", "A town by the sea.")
    for name in ("mara", "joe"):
        await talk.ask(talk.npc(name))
    mara, joe = (request["input_ids"] for request in fake.seen()["requests"])
    system = tiny_tokenizer().encode("<|im_start|>system\nA town by the sea.\n\nYou are ")
    assert mara[: len(system)] == joe[: len(system)] == system
    assert mara[len(system)] != joe[len(system)]


async def test_cancel_ends_the_stream_and_the_request_at_sglang(start_sglang: StartSglang) -> None:
    talk, fake = await start_sglang()
    fake.behave(first_token_s=0.0, token_s=60.0)
    mara = talk.npc("mara")
    request = talk.request(mara)
    async with aclosing(talk.engine.submit(request)) as stream:
        assert isinstance(await anext(stream), Delta)
        assert talk.engine.cancel(request.request_id)
        end = await anext(stream)
    assert isinstance(end, GenerationEnd)
    assert end.finish_reason == "cancelled"
    await until(lambda: fake.seen()["aborted"] == [fake.seen()["requests"][0]["rid"]])
    assert not talk.engine.cancel(request.request_id)


async def test_one_who_leaves_early_frees_the_place(start_sglang: StartSglang) -> None:
    talk, fake = await start_sglang()
    fake.behave(first_token_s=0.0, token_s=60.0, slots=1)
    async with aclosing(talk.engine.submit(talk.request(talk.npc("mara")))) as stream:
        await anext(stream)
    await until(lambda: fake.seen()["running"] == 0 and len(fake.seen()["aborted"]) == 1)


async def test_forgetting_an_npc_ends_its_requests(start_sglang: StartSglang) -> None:
    talk, fake = await start_sglang()
    fake.behave(token_s=60.0)
    mara = talk.npc("mara")
    asked = asyncio.create_task(talk.ask(mara))
    await until(lambda: fake.seen()["running"] == 1)
    talk.engine.forget_npc(mara)
    talk.engine.forget_npc(mara)
    assert (await asked)[1].finish_reason == "cancelled"
    assert math.isinf((await asked)[1].ttft_s)
    with pytest.raises(UnknownNpcError):
        await talk.ask(mara)


async def test_a_player_overtakes_background_thoughts(start_sglang: StartSglang) -> None:
    talk, fake = await start_sglang()
    fake.behave(slots=1, token_s=60.0)
    mara = talk.npc("mara")
    tasks = []
    for priority in (Priority.NPC, Priority.BACKGROUND, Priority.BACKGROUND, Priority.PLAYER):
        tasks.append(asyncio.create_task(talk.ask(mara, priority=priority)))
        await until(lambda: len(fake.seen()["requests"]) == len(tasks))
    fake.behave(token_s=0.0)
    await asyncio.gather(*tasks)
    npc, *background, player = (request["rid"] for request in fake.seen()["requests"])
    assert fake.seen()["order"] == [npc, player, *background]


async def test_too_many_open_requests_are_refused(start_sglang: StartSglang) -> None:
    talk, fake = await start_sglang(max_open=1)
    fake.behave(token_s=60.0)
    mara = talk.npc("mara")
    first = asyncio.create_task(talk.ask(mara))
    await until(lambda: fake.seen()["running"] == 1)
    with pytest.raises(EngineOverloadedError) as refused:
        await talk.ask(mara)
    fake.behave(token_s=0.0)
    assert refused.value.retry_after_s > 0
    assert (await first)[0] == TEXT


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ({"generate_status": 503}, EngineOverloadedError),
        ({"generate_status": 429}, EngineOverloadedError),
        ({"generate_status": 500}, GenerationError),
        ({"generate_status": 502}, EngineUnavailableError),
        ({"abort_with": {"status_code": 503, "message": "queue is full"}}, EngineOverloadedError),
        ({"abort_with": {"status_code": 400, "message": "bad schema"}}, GenerationError),
        (
            {"abort_with": {"status_code": 400, "message": "longer than the context length"}},
            ContextTooLongError,
        ),
        ({"abort_with": {"message": "aborted by an operator"}}, GenerationError),
    ],
)
async def test_a_failure_of_sglang_is_one_of_ours(
    start_sglang: StartSglang, behaviour: dict[str, Any], error: type[EngineError]
) -> None:
    talk, fake = await start_sglang()
    fake.behave(**behaviour)
    mara = talk.npc("mara")
    with pytest.raises(error):
        await talk.ask(mara)
    fake.behave(generate_status=200, abort_with=None)
    assert await talk.say(mara) == TEXT


async def test_distances_and_adapters_reach_sglang_and_residency_comes_back(
    start_sglang: StartSglang, smith_adapter: Path
) -> None:
    talk, fake = await start_sglang(adapters={"smith": str(smith_adapter)})
    keys = [talk.npc("mara"), talk.npc("joe", adapter="smith"), talk.npc("gone")]
    engine = talk.engine
    npcs = tuple(key.npc for key in keys)
    engine.publish("w", npcs, np.array([3.0, np.inf, 9.0], np.float32))
    await until(lambda: fake.seen()["known"] == [0, 1, 2])
    assert fake.seen()["adapters"] == {"0": None, "1": "smith", "2": None}
    engine.forget_npc(keys[2])
    await until(lambda: fake.seen()["known"] == [0, 1])
    await talk.ask(keys[0])
    prefixes = engine.prefixes
    assert prefixes is not None
    await until(lambda: prefixes.tier(keys[0]) is Tier.DEVICE)
    assert prefixes.tier(keys[1]) is Tier.ABSENT
    assert prefixes.size_bytes(keys[0]) > prefixes.size_bytes(keys[1]) > 0
    mara_bytes = prefixes.size_bytes(keys[0])
    await until(lambda: [tier.used_bytes for tier in engine.occupancy().tiers] == [mara_bytes, 0])
    device, host = engine.occupancy().tiers
    assert (device.tier, device.items, device.budget_bytes) == (Tier.DEVICE, 1, 400_000)
    assert (host.tier, host.items) == (Tier.HOST, 0)
    (move,) = engine.take_moves()
    assert isinstance(move.action, Load)
    assert (move.action.key, move.action.source, move.action.target) == (
        keys[0],
        Tier.ABSENT,
        Tier.DEVICE,
    )
    assert engine.take_moves() == ()
    newcomer = talk.npc("newcomer")
    engine.publish("w", (*npcs[:2], "newcomer"), np.array([3.0, 4.0, 5.0], np.float32))
    await until(lambda: fake.seen()["known"] == [0, 1, 2])
    assert prefixes.tier(newcomer) is Tier.ABSENT


async def test_the_soonest_are_warmed_first_and_only_those_that_fit(
    start_sglang: StartSglang,
) -> None:
    talk, fake = await start_sglang(warm_horizon_s=100.0, warm_at_once=1)
    persona = "x" * 700  # The pools hold 8,000 tokens, of which four fifths are filled ahead.
    npcs = tuple(talk.npc(f"npc {number}", persona).npc for number in range(10))
    distance_s = np.array([90, 20, np.inf, 10, 50, 80, 70, 60, 40, 30], np.float32)
    talk.engine.publish("w", npcs, distance_s)
    await until(lambda: len(fake.seen()["requests"]) == 8)
    looks = fake.seen()["residency_looks"]
    await until(lambda: fake.seen()["residency_looks"] >= looks + 20)  # and it sends no more
    warmed = [request["session_id"] for request in fake.seen()["requests"]]
    assert warmed == [f"npc-{number}" for number in (3, 1, 9, 8, 4, 7, 6, 5)]
    assert {r["sampling_params"]["max_new_tokens"] for r in fake.seen()["requests"]} == {1}
    assert {r["priority"] for r in fake.seen()["requests"]} == {3}
    _, end = await talk.ask(NpcKey("w", "npc 3"))
    assert end.tier_at_start is Tier.DEVICE


@pytest.mark.parametrize("loss", ["kill", "crash", "hang"])
async def test_a_lost_sglang_fails_fast_and_comes_back_warm(
    start_sglang: StartSglang, loss: str
) -> None:
    patience_s = 2.0 if loss == "hang" else 60.0
    talk, fake = await start_sglang(
        warm_horizon_s=100.0, silence_s=60.0, health_timeout_s=patience_s
    )
    npcs = tuple(talk.npc(name).npc for name in ("mara", "joe"))
    talk.engine.publish("w", npcs, np.array([20.0, 10.0], np.float32))
    await until(lambda: len(fake.seen()["known"]) == 2)
    fake.behave(token_s=60.0)
    asked = asyncio.create_task(talk.say(NpcKey("w", "mara")))
    await until(lambda: fake.seen()["running"] >= 1)
    pid = fake.seen()["pid"]
    match loss:
        case "kill":
            os.kill(pid, signal.SIGKILL)
        case "crash":
            with pytest.raises(OSError, match="closed"):
                fake.behave(crash=True)
        case "hang":
            fake.behave(hang=True)
    with pytest.raises(EngineUnavailableError):
        await asked
    with pytest.raises(EngineUnavailableError):
        await talk.say(NpcKey("w", "joe"))

    def back() -> bool:
        try:
            return fake.seen()["pid"] != pid and len(fake.seen()["requests"]) >= 2
        except OSError:
            return False

    await until(back)
    seen = fake.seen()
    assert seen["known"] == [0, 1]
    assert [request["session_id"] for request in seen["requests"]] == ["npc-1", "npc-0"]
    assert await talk.say(NpcKey("w", "mara")) == TEXT


async def test_without_the_plugin_it_speaks_and_says_so(
    start_sglang: StartSglang, caplog: pytest.LogCaptureFixture
) -> None:
    owner, fake = await start_sglang()
    fake.behave(plugin=False)
    assert isinstance(owner.engine, SglangEngine)
    engine = SglangEngine(SglangSettings(urls=(fake.url,)), Timing(distance_interval_s=0.01))
    try:
        await engine.start(lambda _: None)
        assert not engine.info.keeps_residency
        assert engine.prefixes is None
        assert "without Callsheet's plugin" in caplog.text
        talk = Talk(engine)
        mara = talk.npc("mara")
        engine.publish("w", ("mara",), np.array([1.0], np.float32))
        assert await talk.say(mara) == TEXT
        assert "session_id" not in fake.seen()["requests"][-1]
        engine.forget_npc(mara)
    finally:
        await engine.close()
        await engine.close()


async def test_one_that_is_attached_to_outlives_the_engine(start_sglang: StartSglang) -> None:
    owner, fake = await start_sglang(api_key="secret-key")
    engine = SglangEngine(SglangSettings(urls=(fake.url,), api_key=SecretStr("secret-key")))
    await engine.start(lambda _: None)
    talk = Talk(engine)
    assert await talk.say(talk.npc("mara")) == TEXT
    await engine.close()
    assert await owner.say(owner.npc("mara")) == TEXT


async def test_a_wrong_key_is_a_clear_start_error(start_sglang: StartSglang) -> None:
    _, fake = await start_sglang(api_key="secret-key")
    engine = SglangEngine(SglangSettings(urls=(fake.url,), api_key=SecretStr("guess")))
    with pytest.raises(EngineStartError, match=r"set sglang\.api_key") as refused:
        await engine.start(lambda _: None)
    assert "guess" not in str(refused.value)
    await engine.close()


@pytest.mark.parametrize("version", ["0.4.9", "0.6.0", "main"])
async def test_an_unsupported_version_is_refused(start_sglang: StartSglang, version: str) -> None:
    _, fake = await start_sglang()
    fake.behave(version=version)
    engine = SglangEngine(SglangSettings(urls=(fake.url,)))
    with pytest.raises(EngineStartError, match=rf"version {version}; supported: .*0\.5\.23"):
        await engine.start(lambda _: None)
    await engine.close()


async def test_nobody_at_the_url_is_a_clear_start_error() -> None:
    engine = SglangEngine(SglangSettings(urls=("http://127.0.0.1:9",)))
    with pytest.raises(EngineStartError, match=r"sglang\.urls.*cannot be reached"):
        await engine.start(lambda _: None)
    await engine.close()


async def test_one_that_dies_at_start_is_quoted(start_sglang: StartSglang, tmp_path: Path) -> None:
    with pytest.raises(EngineStartError) as failed:
        await start_sglang(fake_arguments=("--fail-start",))
    assert "there is no memory for the KV pool" in str(failed.value)
    assert str(tmp_path / "sglang.log") in str(failed.value)


async def test_one_that_never_gets_ready_is_ended(start_sglang: StartSglang) -> None:
    with pytest.raises(EngineStartError, match=r"not ready after 0\.5 s.*start_timeout_s"):
        await start_sglang(fake_arguments=("--start-s", "30"), start_timeout_s=0.5)


async def test_a_closed_engine_is_unavailable(start_sglang: StartSglang) -> None:
    talk, _ = await start_sglang()
    mara = talk.npc("mara")
    await talk.engine.close()
    with pytest.raises(EngineUnavailableError):
        await talk.say(mara)


def test_it_is_an_engine() -> None:
    engine: Engine = SglangEngine(SglangSettings())
    with pytest.raises(EngineUnavailableError):
        _ = engine.info


def _is_on_device(talk: Talk, key: NpcKey) -> bool:
    prefixes = talk.engine.prefixes
    return prefixes is not None and prefixes.tier(key) is Tier.DEVICE


async def test_two_servers_share_one_sglang(start_sglang: StartSglang) -> None:
    one, fake = await start_sglang()
    fake.behave(wire_version=2)
    first = await start_sglang(urls=(fake.url,))
    second = await start_sglang(urls=(fake.url,))
    keys = [[talk.npc(f"npc-{i}") for i in range(2)] for talk, _ in (first, second)]
    await until(lambda: len(fake.seen()["known"]) == 4)
    numbers = {str(name).partition("@")[2] for name in fake.seen()["known"]}
    assert len(numbers) == 2
    assert "" not in numbers
    for (talk, _), (key, other) in zip((first, second), keys, strict=True):
        await talk.ask(key)
        residency = talk.engine.prefixes
        assert residency is not None
        await until(functools.partial(_is_on_device, talk, key))
        assert residency.tier(other) is Tier.ABSENT, "each is told of its own"
    first[0].engine.forget_npc(keys[0][0])
    await until(lambda: len(fake.seen()["known"]) == 3)
    await one.engine.close()
