"""Rounds against a server that answers as SGLang does; the real one answers in the benchmark."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tokenizers import Tokenizer

from callsheet_bench.running import RunningSglang
from callsheet_bench.trace_player import Distancing, play
from callsheet_bench.workload import TownSpec, TownWorkload
from callsheet_sglang.wire import DISTANCES_PATH, Distances, decode_distances, npc_of

SPEC = TownSpec(npcs=100, persona_tokens=(5, 9), requests=8, lead_in=3, concurrency=2)
REPLY_TAKES_S = 0.02


class Answering(RunningSglang):
    """Answers every request after a while, and remembers what it was sent."""

    def __init__(self) -> None:
        self.sent_at_s: list[float] = []
        self.rows: list[int | None] = []
        self.distances: list[Distances] = []
        self.running = self.most_running = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Answering]:
        app = web.Application()
        app.router.add_post("/generate", self._generate)
        app.router.add_post(DISTANCES_PATH, self._distances)
        app.router.add_get("/metrics/", self._metrics)
        async with TestServer(app) as server, aiohttp.ClientSession() as self.http:
            self.url = str(server.make_url("")).rstrip("/")
            yield self

    def scheduler_cpu_s(self) -> float:
        return time.process_time()

    async def answered(self) -> Mapping[str, float]:
        return {"answered": len(self.rows) - self.running}

    async def _generate(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        self.sent_at_s.append(time.monotonic())
        npc = npc_of(body["session_id"])
        assert npc is not None
        self.rows.append(npc[1])
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(REPLY_TAKES_S)
        self.running -= 1
        meta = {
            "completion_tokens": body["sampling_params"]["max_new_tokens"],
            "cached_tokens_details": {"device": 100, "host": 5},
            "request_received_ts": 1.0,
            "forward_entry_time": 1.5,
            "prefill_finished_time": 2.0,
            "request_finished_ts": 4.0,
        }
        return web.Response(body=b"data: " + orjson.dumps({"meta_info": meta}) + b"\n\n")

    async def _distances(self, request: web.Request) -> web.Response:
        self.distances.append(decode_distances(await request.read()))
        return web.Response()

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(text="# TYPE sglang:load_back_bytes counter\n")


@pytest.fixture(scope="module")
def town(tokenizer: Tokenizer) -> TownWorkload:
    return TownWorkload(SPEC, tokenizer)


async def test_a_round_asks_everybody_and_measures_what_comes_after_the_lead_in(
    town: TownWorkload,
) -> None:
    async with Answering().serving() as sglang:
        result = await play(sglang, town, "a 0", Distancing(sglang), also=sglang.answered)
    assert Counter(sglang.rows) == Counter(town.rows)
    assert sglang.most_running == SPEC.concurrency
    assert len(result.samples) == SPEC.requests
    # of the lead-in, one may still be speaking when measuring begins
    assert SPEC.requests <= result.counted["answered"] <= SPEC.requests + 1
    assert result.counted["loaded_bytes"] == 0.0
    assert result.game_s == town.calls[-1].time_s - town.calls[SPEC.lead_in].time_s


async def test_in_game_time_no_request_comes_before_it_is_due(town: TownWorkload) -> None:
    async with Answering().serving() as sglang:
        begun_s, first_s = time.monotonic(), town.calls[0].time_s
        result = await play(sglang, town, "a 0", Distancing(sglang), in_game_time=True)
    for sent_s, call in zip(sglang.sent_at_s, town.calls, strict=True):
        assert sent_s - begun_s >= call.time_s - first_s
    assert len(result.samples) == SPEC.requests
    assert len(sglang.distances) > 1, "distances are told again and again"
