"""A day served by every contender, on fake replicas."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callsheet_bench.cluster.failover import FakeReplica
from callsheet_bench.cluster.real.contenders import (
    OurCluster,
    Routed,
    RouterClient,
    ThroughRouter,
)
from callsheet_bench.cluster.real.day import LINES, SPEED, Day, make_day
from callsheet_bench.cluster.real.routes import RoundRobin
from callsheet_bench.cluster.tokenizer import save_tokenizer
from callsheet_server.engine.cluster.engine import ClusterEngine
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.sglang.peer import Peer, meet
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_sglang.launch.spec import free_port

CALLS = 6
Stream = AsyncGenerator[list[Any]]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def day(tokenizer: Path) -> Day:
    return make_day(tokenizer, npcs=20, seconds=30.0, seed=1)


@pytest.fixture
async def peers(tokenizer: Path) -> AsyncIterator[list[Peer]]:
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(2):
            replica = FakeReplica(tokenizer, free_port())
            stack.push_async_callback(replica.stop)
            await replica.start(token_s=0.0)
            server = ModelServer("fake", replica.url)
            stack.push_async_callback(server.close)
            found.append(await meet(server, 2048))
        yield found


async def asked(peer: Peer) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = (await peer.server.get_json("/fake"))["requests"]
    return requests


def test_a_day_is_the_same_every_time_and_its_personas_have_some_hundred_tokens(
    day: Day, tokenizer: Path
) -> None:
    again = make_day(tokenizer, npcs=20, seconds=30.0, seed=1)
    assert again.prompts == day.prompts
    assert all(300 < tokens < 1000 for tokens in day.prefix_tokens)
    assert {len(request.turns) for request in day.requests} <= {2 * n + 1 for n in range(LINES)}
    for prompt, npc in zip(day.prompts, day.calls.npc.tolist(), strict=True):
        first = day.prompts[day.calls.npc.tolist().index(npc)]
        assert prompt[: day.prefix_tokens[npc]] == first[: day.prefix_tokens[npc]]


def test_distances_are_in_seconds_of_the_replay(day: Day) -> None:
    told = day.distance_s(4.0)
    finite = np.isfinite(told)
    assert finite.any()
    expected = day.calls.distances(4.0 * SPEED, len(day.profiles))
    np.testing.assert_allclose(told[finite] * SPEED, expected[finite], rtol=1e-5)


@pytest.mark.process
async def test_our_cluster_and_a_rule_send_the_same_prompts(day: Day, peers: list[Peer]) -> None:
    engine = ClusterEngine(SglangSettings(urls=tuple(peer.server.url for peer in peers)))
    await engine.start(lambda _: None)
    ours = OurCluster(engine, day)
    await ours.publish(np.full(len(day.profiles), np.inf, np.float32))
    ends = [await ours.ask(number) for number in range(CALLS)]
    await ours.leave()
    assert [end.prompt_tokens for end in ends] == [len(p) for p in day.prompts[:CALLS]]
    before = [len(await asked(peer)) for peer in peers]
    assert sum(before) == CALLS

    rule = Routed(day, peers, RoundRobin(2))
    await rule.publish(day.distance_s(0.0))
    for number in range(CALLS):
        assert (await rule.ask(number)).prompt_tokens == len(day.prompts[number])
    new = [(await asked(peer))[count:] for peer, count in zip(peers, before, strict=True)]
    assert [len(requests) for requests in new] == [CALLS // 2, CALLS // 2]
    assert [tuple(r["input_ids"]) for r in new[0]] == list(day.prompts[0:CALLS:2])
    known = (await peers[0].server.get_json("/fake"))["known"]
    assert len(known) == len(day.profiles)
    await rule.leave()
    assert (await peers[0].server.get_json("/fake"))["known"] == []


async def test_a_router_gets_text_that_is_the_same_tokens(
    day: Day, peers: list[Peer], tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoTokenizer

    made = AutoTokenizer.from_pretrained(tokenizer)
    bodies: list[dict[str, Any]] = []

    async def stream(_: ModelServer, path: str, json: Any, *__: Any, **___: Any) -> Stream:
        bodies.append(json)
        meta = {"finish_reason": {"type": "length"}, "completion_tokens": 1}
        yield [{"text": "Hm.", "meta_info": meta}]

    monkeypatch.setattr(ModelServer, "stream", stream)
    client = RouterClient("http://127.0.0.1:1", lambda tokens: str(made.decode(list(tokens))))
    await ThroughRouter(day, peers, client).ask(0)
    await client.close()
    assert "input_ids" not in bodies[0]
    assert tuple(made(bodies[0]["text"], add_special_tokens=False)["input_ids"]) == day.prompts[0]
