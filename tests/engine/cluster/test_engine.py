"""A cluster of fake SGLangs: who is where, what a loss costs, what a return brings."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import numpy as np
import pytest
from engine.cluster.conftest import Box, StartBoxes, StartCluster, engine_of
from waiting import until

from callsheet_residency.state import Tier
from callsheet_server.engine.engine import Delta, Engine
from callsheet_server.engine.errors import (
    EngineError,
    EngineStartError,
    EngineUnavailableError,
    GenerationError,
    UnknownNpcError,
)
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.world.key import NpcKey

TEXT = "well met, stranger. What brings you here? Sit down. "


async def knows(box: Box, npcs: int) -> None:
    """Wait until a replica has been told of so many NPCs."""
    await until(lambda: len(box.fake.seen()["known"]) == npcs)


async def test_npcs_are_spread_and_stay_where_they_are(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(3)
    engine: Engine = cluster.engine
    assert (engine.info.name, engine.info.model, engine.info.replicas) == ("sglang", "fake", 3)
    keys = [cluster.talk.npc(f"npc {number}") for number in range(30)]
    homes = {key: cluster.box_of(key) for key in keys}
    assert {box.name for box in homes.values()} == {box.name for box in cluster.boxes}
    for _ in range(2):
        replies = await asyncio.gather(*(cluster.talk.ask(key) for key in keys))
        assert {text for text, _ in replies} == {TEXT}
    assert {end.tier_at_start for _, end in replies} == {Tier.DEVICE}
    for box in cluster.boxes:
        there = sum(home is box for home in homes.values())
        assert len(box.fake.seen()["requests"]) == 2 * there
        load = cluster.loads()[box.name]
        assert (load.state, load.npcs, load.replies, load.device_hits) == (
            "serving", there, 2 * there, there,
        )  # fmt: skip
    occupancy = engine.occupancy()
    await until(lambda: len(engine.occupancy().tiers) == 2)
    assert engine.occupancy().tiers[0].budget_bytes == 3 * 400_000
    assert (occupancy.running, occupancy.queued) == (0, 0)


async def test_each_is_told_of_its_own_and_prefixes_are_found_at_home(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2)
    keys = [cluster.talk.npc(f"npc {number}") for number in range(12)]
    npcs = tuple(key.npc for key in keys)
    cluster.engine.publish("w", npcs, np.arange(12, dtype=np.float32))
    for box in cluster.boxes:
        there = sum(cluster.box_of(key) is box for key in keys)
        await knows(box, there)
    prefixes = cluster.engine.prefixes
    assert prefixes is not None
    assert prefixes.tier(keys[0]) is Tier.ABSENT
    await cluster.talk.ask(keys[0])
    await until(lambda: prefixes.tier(keys[0]) is Tier.DEVICE)
    assert prefixes.size_bytes(keys[0]) > 0
    assert len(cluster.engine.take_moves()) == 1
    cluster.engine.forget_npc(keys[0])
    with pytest.raises(UnknownNpcError):
        await cluster.talk.ask(keys[0])
    cluster.engine.forget_world("w")
    assert len(cluster.engine._homes) == 0
    for box in cluster.boxes:
        await knows(box, 0)


async def test_a_loss_costs_only_what_was_streaming(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(3)
    dying, *others = cluster.boxes
    keys = [cluster.talk.npc(f"npc {number}") for number in range(60)]
    npcs = tuple(key.npc for key in keys)
    cluster.engine.publish("w", npcs, np.arange(60, dtype=np.float32))
    at_dying = [key for key in keys if cluster.box_of(key) is dying]
    for box in cluster.boxes:
        box.fake.behave(slots=2, first_token_s=0.0, token_s=60.0)
    streaming = [cluster.engine.submit(cluster.talk.request(key)) for key in at_dying[:2]]
    for stream in streaming:
        assert isinstance(await anext(stream), Delta)
    waiting = [asyncio.create_task(cluster.talk.ask(key)) for key in at_dying[2:8]]
    await until(lambda: len(dying.fake.seen()["requests"]) == 8)
    loop = asyncio.get_running_loop()
    for box in others:
        box.fake.behave(slots=8, token_s=0.001)
    await dying.kill()
    killed_s = loop.time()
    for stream in streaming:
        with pytest.raises(EngineUnavailableError):
            await anext(stream)
    assert {text for text, _ in await asyncio.gather(*waiting)} == {TEXT}
    await until(lambda: cluster.loads()[dying.name].state == "lost")
    assert loop.time() - killed_s < 5  # A second where nothing else runs.
    await until(lambda: cluster.loads()[dying.name].npcs == 0)
    replies = await asyncio.gather(*(cluster.talk.say(key) for key in keys))
    assert set(replies) == {TEXT}
    for box in others:  # The distances came with the NPCs.
        there = sum(cluster.box_of(key) is box for key in keys)
        await knows(box, there)
    cluster.engine.check_integrity()

    await dying.start()
    await until(lambda: cluster.loads()[dying.name].npcs >= 10)
    back = next(key for key in keys if cluster.box_of(key) is dying)
    assert await cluster.talk.say(back) == TEXT
    assert len(dying.fake.seen()["requests"]) == 1


async def test_a_loss_is_noticed_though_nobody_asks(start_cluster: StartCluster) -> None:
    never_s = 1_000.0
    cluster = await start_cluster(2, health_interval_s=never_s, residency_interval_s=never_s)
    dying, other = cluster.boxes
    await dying.kill()
    await until(lambda: cluster.loads()[dying.name].state == "lost")
    assert cluster.loads()[other.name].state == "serving"
    await dying.start()
    await until(lambda: cluster.loads()[dying.name].state == "serving")


async def test_the_soonest_of_a_lost_replica_are_re_homed_first(
    start_cluster: StartCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = await start_cluster(2)
    keys = [cluster.talk.npc(f"npc {number}") for number in range(20)]
    npcs = tuple(key.npc for key in keys)
    distance_s = np.array([(7 * number) % 20 for number in range(20)], np.float32)
    cluster.engine.publish("w", npcs, distance_s)
    dying = cluster.boxes[0]
    moved: list[NpcKey] = []
    move_now = cluster.engine._relocator.move_now

    def noted(key: NpcKey, target: int) -> None:
        if cluster.loads()[dying.name].state == "lost":  # Until then some move for balance.
            moved.append(key)
        move_now(key, target)

    monkeypatch.setattr(cluster.engine._relocator, "move_now", noted)
    await dying.kill()
    await until(lambda: cluster.loads()[dying.name].npcs == 0)
    assert moved
    assert moved == sorted(moved, key=lambda key: distance_s[keys.index(key)])


async def test_all_lost_is_told_and_the_first_back_serves_everybody(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2)
    keys = [cluster.talk.npc(f"npc {number}") for number in range(6)]
    for box in cluster.boxes:
        await box.kill()
    await until(lambda: {load.state for load in cluster.loads().values()} == {"lost"})
    with pytest.raises(EngineUnavailableError):
        await cluster.talk.say(keys[0])
    newcomer = cluster.talk.npc("newcomer")
    await cluster.boxes[1].start()
    await until(lambda: cluster.loads()[cluster.boxes[1].name].npcs == 7)
    for key in (*keys, newcomer):
        assert await cluster.talk.say(key) == TEXT


async def test_a_request_that_kills_replicas_does_not_go_through_them_all(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(4)
    for box in cluster.boxes:
        box.fake.behave(generate_status=500)
    with pytest.raises(GenerationError):
        await cluster.talk.say(cluster.talk.npc("mara"))
    assert sum(len(box.fake.seen()["requests"]) for box in cluster.boxes) == 3


async def test_what_is_wrong_with_the_request_itself_is_not_tried_elsewhere(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2)
    mara = cluster.talk.npc("mara")
    home = cluster.box_of(mara)
    for box in cluster.boxes:
        box.fake.behave(abort_with={"status_code": 400, "message": "bad schema"})
    with pytest.raises(GenerationError, match="bad schema"):
        await cluster.talk.say(mara)
    with pytest.raises(GenerationError, match="turns"):
        await cluster.talk.say(mara, ())
    assert sum(len(box.fake.seen()["requests"]) for box in cluster.boxes) == 1
    assert cluster.box_of(mara) is home


async def test_one_dead_replica_stops_no_start(
    start_boxes: StartBoxes, caplog: pytest.LogCaptureFixture
) -> None:
    boxes = await start_boxes(2)
    await boxes[0].kill()
    engine = engine_of(boxes)
    try:
        await engine.start(lambda _: None)
        (line,) = [r.message for r in caplog.records if r.levelname == "WARNING"]
        assert line.startswith(f"starting without {boxes[0].name}, which is used as soon as")
        await boxes[0].start()
        await until(lambda: engine.occupancy().replicas[0].state == "serving")
    finally:
        await engine.close()


async def test_all_dead_is_one_clear_line(start_boxes: StartBoxes) -> None:
    boxes = await start_boxes(2)
    for box in boxes:
        await box.kill()
    engine = engine_of(boxes)
    with pytest.raises(EngineStartError) as refused:
        await engine.start(lambda _: None)
    assert all(box.url in str(refused.value) for box in boxes)
    assert "\n" not in str(refused.value)
    await engine.close()


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ({"plugin": False}, "runs without Callsheet's plugin"),
        ({"version": "0.5.23.post1"}, "is SGLang 0.5.23"),
        ({"model": "another"}, "serves the model"),
        ({"plugin_version": "0.0.9"}, "has the plugin"),
    ],
)
async def test_a_replica_that_is_unlike_the_others_is_refused_by_name(
    start_boxes: StartBoxes, behaviour: dict[str, object], said: str
) -> None:
    boxes = await start_boxes(2)
    boxes[1].fake.behave(**behaviour)
    engine = engine_of(boxes)
    with pytest.raises(EngineStartError, match=said) as refused:
        await engine.start(lambda _: None)
    assert boxes[1].name in str(refused.value)
    assert "\n" not in str(refused.value)
    await engine.close()


async def test_one_that_returns_as_another_is_not_used(
    start_cluster: StartCluster, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = await start_cluster(2)
    box = cluster.boxes[0]
    box.fake.behave(model="another", health=500)
    await until(lambda: cluster.loads()[box.name].state == "lost")
    box.fake.behave(health=200)
    await until(lambda: "serves the model another" in caplog.text)
    box.fake.behave(model="fake")
    await until(lambda: cluster.loads()[box.name].state == "serving")


async def test_a_drained_replica_is_empty_and_may_be_stopped(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2, warm_horizon_s=100.0)
    box, other = cluster.boxes
    keys = [cluster.talk.npc(f"npc {number}") for number in range(10)]
    npcs = tuple(key.npc for key in keys)
    cluster.engine.publish("w", npcs, np.full(10, 20.0, np.float32))
    box.fake.behave(first_token_s=0.0, token_s=60.0)
    speaker = next(key for key in keys if cluster.box_of(key) is box)
    async with aclosing(cluster.engine.submit(cluster.talk.request(speaker))) as stream:
        await anext(stream)
        cluster.engine.drain(box.name)
        await until(lambda: cluster.loads()[box.name].npcs == 1)
        assert cluster.loads()[box.name].state == "draining"
        assert cluster.box_of(speaker) is box, "one who speaks was moved"
        assert all(cluster.box_of(cluster.talk.npc(f"new {n}")) is other for n in range(5))
        moved = len([key for key in keys if key != speaker and cluster.box_of(key) is other])
        prefixes = cluster.engine.prefixes
        assert prefixes is not None
        assert moved == 9
        await until(lambda: len(other.fake.seen()["requests"]) >= 9)  # Warmed there.
        box.fake.behave(token_s=0.0)
        async for _ in stream:
            pass
    await until(lambda: cluster.loads()[box.name].state == "drained")
    await box.kill()
    assert await cluster.talk.say(speaker) == TEXT
    with pytest.raises(EngineError, match="only replica in use"):
        cluster.engine.drain(other.name)
    with pytest.raises(EngineError, match=f"replicas: {box.name}"):
        cluster.engine.drain("nobody")


async def test_draining_can_be_undone(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2)
    box = cluster.boxes[0]
    keys = [cluster.talk.npc(f"npc {number}") for number in range(10)]
    cluster.engine.drain(box.name)
    await until(lambda: cluster.loads()[box.name].state == "drained")
    cluster.engine.drain(box.name, undo=True)
    await until(lambda: cluster.loads()[box.name].npcs >= 3)
    assert {await cluster.talk.say(key) for key in keys} == {TEXT}


async def test_one_is_warmed_at_its_new_home_before_the_old_forgets(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2, warm_horizon_s=100.0)
    box, other = cluster.boxes
    mara = await cluster.npc_at(box)
    cluster.engine.publish("w", (mara.npc,), np.array([20.0], np.float32))
    await until(lambda: len(box.fake.seen()["requests"]) == 1)
    other.fake.behave(token_s=60.0)  # It is long about it.
    cluster.engine.drain(box.name)
    await until(lambda: other.fake.seen()["running"] == 1)
    assert cluster.box_of(mara) is box
    assert cluster.loads()[other.name].arriving == 1
    assert await cluster.talk.say(mara) == TEXT
    other.fake.behave(token_s=0.0)
    await until(lambda: cluster.box_of(mara) is other)
    _, end = await cluster.talk.ask(mara)
    assert end.tier_at_start is Tier.DEVICE
    assert len(box.fake.seen()["requests"]) == 2


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        (("http://a:30000", "http://A:30000/"), "is there twice"),
        (("http://localhost:1", "http://127.0.0.1:1"), "is there twice"),
        (("http://a", "http://a:80"), "is there twice"),
        (("gpu-box:30000",), "is no URL"),
        (("http://a:1", "http://"), "is no URL"),
    ],
)
def test_bad_urls_are_refused(urls: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SglangSettings(urls=urls)


def test_replicas_are_launched_or_attached_to() -> None:
    with pytest.raises(ValueError, match="set one of the two"):
        SglangSettings(urls=("http://a:1",), replicas=2)
