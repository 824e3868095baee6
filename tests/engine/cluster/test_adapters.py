"""Adapters that come, change and go while replicas run; the replicas are fakes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from engine.cluster.conftest import Box, StartBoxes, StartCluster, engine_of
from engine.harness import Talk
from waiting import until

import callsheet
from callsheet import NpcSpec
from callsheet_residency.state import Tier
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.engine import AdaptersChange, AdapterUse, Engine
from callsheet_server.engine.errors import (
    EngineError,
    EngineUnavailableError,
    UnknownAdapterError,
)
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.engine.sglang.engine import SglangEngine
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.transport.settings import ServerSettings


def weights(box: Box) -> dict[str, str]:
    told: dict[str, str] = box.fake.seen()["weights"]
    return told


def tier(engine: Engine, key: Any) -> Tier:
    assert engine.prefixes is not None
    return engine.prefixes.tier(key)


async def test_every_replica_is_told_what_comes_changes_and_goes(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2, adapters={"smith": "/a/smith"})
    engine = cluster.engine
    await engine.set_adapter("singer", "/a/singer", update=False)
    assert [weights(box) for box in cluster.boxes] == 2 * [{"singer": "/a/singer"}]
    assert engine.adapters == {"smith", "singer"}
    ann = cluster.talk.npc("ann", adapter="singer")
    assert engine.adapters_in_use() == (
        AdapterUse("singer", "/a/singer", 1),
        AdapterUse("smith", "/a/smith", 0),
    )
    await engine.set_adapter("singer", "/a/singer-2", update=True)
    assert [weights(box)["singer"] for box in cluster.boxes] == 2 * ["/a/singer-2"]
    with pytest.raises(EngineError, match=r"is that of w/ann \(1 NPCs\)"):
        await engine.remove_adapter("singer")
    engine.forget_npc(ann)
    await engine.remove_adapter("singer")
    assert [weights(box) for box in cluster.boxes] == [{}, {}]
    with pytest.raises(UnknownAdapterError, match="'singer' is unknown; known: smith"):
        cluster.talk.npc("ann", adapter="singer")


async def test_new_weights_take_no_prefix_of_the_old_ones(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2, adapters={"smith": "/a/smith"}, warm_horizon_s=30.0)
    engine = cluster.engine
    joe, ann = cluster.talk.npc("joe", adapter="smith"), cluster.talk.npc("ann")
    await cluster.talk.say(joe)
    await cluster.talk.say(ann)
    await until(lambda: tier(engine, joe) is tier(engine, ann) is Tier.DEVICE)
    engine.publish("w", ("joe", "ann"), np.array([600.0, 600.0], np.float32))

    await engine.set_adapter("smith", "/a/smith-2", update=True)
    assert tier(engine, joe) is Tier.ABSENT
    assert tier(engine, ann) is Tier.DEVICE
    _, end = await cluster.talk.ask(joe)
    assert (end.cached_tokens, end.tier_at_start) == (0, Tier.ABSENT)
    _, end = await cluster.talk.ask(ann)
    assert end.cached_tokens > 0

    await until(lambda: tier(engine, joe) is Tier.DEVICE)
    engine.publish("w", ("joe", "ann"), np.array([5.0, 600.0], np.float32))
    await engine.set_adapter("smith", "/a/smith-3", update=True)
    await until(lambda: tier(engine, joe) is Tier.DEVICE)  # Warmed anew: its distance is kept.
    engine.check_integrity()


async def test_a_reply_under_way_ends_while_its_adapter_changes(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2, adapters={"smith": "/a/smith"})
    joe = cluster.talk.npc("joe", adapter="smith")
    box = cluster.box_of(joe)
    box.fake.behave(token_s=0.1)
    answer = asyncio.create_task(cluster.talk.ask(joe))
    await until(lambda: box.fake.seen()["running"] == 1)
    await cluster.engine.set_adapter("smith", "/a/smith-2", update=True)
    _, end = await answer
    assert end.finish_reason == "stop"
    _, end = await cluster.talk.ask(joe)
    assert end.cached_tokens == 0


async def test_one_replica_that_refuses_leaves_all_as_they_were(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2, adapters={"smith": "/a/smith"})
    first, second = cluster.boxes
    second.fake.behave(refused_folder="/a/bad")
    with pytest.raises(EngineError, match=f"^{second.name}: .*no such rank"):
        await cluster.engine.set_adapter("smith", "/a/bad", update=True)
    assert weights(first) == {"smith": "/a/smith"}
    with pytest.raises(EngineError, match="no such rank"):
        await cluster.engine.set_adapter("singer", "/a/bad", update=False)
    assert weights(first) == {"smith": "/a/smith"}
    assert cluster.engine.adapters == {"smith"}


async def test_a_replica_that_comes_back_is_told_what_has_changed(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2, adapters={"smith": "/a/smith", "guard": "/a/guard"})
    engine, (first, second) = cluster.engine, cluster.boxes
    await second.kill()
    await until(lambda: cluster.loads()[second.name].state == "lost")
    await engine.set_adapter("smith", "/a/smith-2", update=True)
    await engine.set_adapter("singer", "/a/singer", update=False)
    await engine.set_adapter("brief", "/a/brief", update=False)
    await engine.remove_adapter("brief")
    await engine.remove_adapter("guard")
    assert weights(first) == {"smith": "/a/smith-2", "singer": "/a/singer"}
    await second.start()
    await until(lambda: cluster.loads()[second.name].state == "serving")
    assert weights(second) == {"smith": "/a/smith-2", "singer": "/a/singer"}
    await first.kill()
    await second.kill()
    await until(lambda: {load.state for load in cluster.loads().values()} == {"lost"})
    with pytest.raises(EngineUnavailableError):
        await engine.set_adapter("smith", "/a/smith-3", update=True)


async def test_one_sglang_changes_its_adapters_too(start_boxes: StartBoxes) -> None:
    (box,) = await start_boxes(1)
    engine = SglangEngine(SglangSettings(urls=(box.url,)))
    await engine.start(lambda _: None)
    try:
        await engine.set_adapter("smith", "/a/smith", update=False)
        joe = Talk(engine).npc("joe", adapter="smith")
        assert engine.adapters_in_use() == (AdapterUse("smith", "/a/smith", 1),)
        engine.forget_npc(joe)
        await engine.remove_adapter("smith")
        assert weights(box) == {}
    finally:
        await engine.close()


async def test_an_sglang_that_cannot_says_what_it_lacks(start_boxes: StartBoxes) -> None:
    (box,) = await start_boxes(1)
    box.fake.behave(enable_lora=False)
    engine = SglangEngine(SglangSettings(urls=(box.url,)))
    await engine.start(lambda _: None)
    try:
        with pytest.raises(EngineError, match="--enable-lora"):
            await engine.set_adapter("smith", "/a/smith", update=False)
    finally:
        await engine.close()


async def command(*words: str) -> tuple[int, str, str]:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "callsheet", "adapters", *words],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


async def test_commands_and_sdk_change_adapters_of_a_running_server(
    start_boxes: StartBoxes,
) -> None:
    boxes = await start_boxes(2)
    settings = Settings(server=ServerSettings(port=0, observers_may_act=False))
    async with running_server(settings, engine_of(boxes)) as server:
        url = f"ws://127.0.0.1:{server.port}"
        code, _, err = await command("add", "smith", "/a/smith", "--url", url)
        assert code == 1
        assert "observers may not change adapters" in err
        asked = ("--url", url, "--role", "game")
        assert (await command("add", "smith", "/a/smith", *asked))[0] == 0
        code, _, err = await command("add", "smith", "/a/smith", *asked)
        assert code == 1
        assert "adapter 'smith' is there already; update it" in err
        async with callsheet.connect(url, role="game", world="town") as game:
            await game.spawn([NpcSpec(npc="joe", name="Joe", adapter="smith")])
            await game.set_adapter("smith", "/a/smith-2", update=True)
            assert [(v.adapter, v.folder, v.npcs) for v in await game.list_adapters()] == [
                ("smith", "/a/smith-2", 1)
            ]
            code, out, _ = await command("list", *asked)
            assert (code, out.split()) == (0, ["smith", "1", "NPCs", "/a/smith-2"])
            code, _, err = await command("remove", "smith", *asked)
            assert code == 1
            assert "that of town/joe" in err
            with pytest.raises(callsheet.CallsheetError, match="'x' is unknown") as unknown:
                await game.set_adapter("x", "/a/x", update=True)
            assert unknown.value.code == "unknown_adapter"
            await game.despawn(["joe"])
            await game.remove_adapter("smith")
            assert await game.list_adapters() == ()


async def test_an_engine_whose_adapters_cannot_change_says_so() -> None:
    engine = ScriptedEngine()
    assert not isinstance(engine, AdaptersChange)
    async with running_server(Settings(server=ServerSettings(port=0)), engine) as server:
        url = f"ws://127.0.0.1:{server.port}"
        for words in (("list",), ("add", "x", "/x"), ("remove", "x")):
            code, _, err = await command(*words, "--url", url)
            assert code == 1
            assert "adapters of the engine scripted cannot change while it runs" in err
