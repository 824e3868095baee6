"""Crowds that do to an SGLang what players do: ask at once, hang up, abort, are forecast badly."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
from sglang_harness import VOCABULARY, Sglang

from callsheet_sglang import wire

WORLD_TOKENS = 40
TIMEOUT_S = 120.0
TELL_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Crowd:
    """NPCs and what is asked of them."""

    npcs: int
    concurrency: int
    requests: int
    persona_tokens: int = 90
    longest_reply_tokens: int = 24
    adapters: tuple[str, ...] = ()
    """Names of LoRA adapters, used by every other NPC in turn."""
    seed: int = 1


@dataclass(slots=True)
class Outcome:
    """Ends of requests."""

    answered: int = 0
    aborted: int = 0
    hung_up: int = 0
    lost: list[str] = field(default_factory=list)
    """Requests that were neither ended by the client nor answered whole, and how they ended."""


async def play(sglang: Sglang, crowd: Crowd) -> Outcome:
    """Ask everything, tell distances meanwhile; abort a request in ten, hang up on one in ten."""
    draw = random.Random(crowd.seed)
    world = [draw.randrange(256) for _ in range(WORLD_TOKENS)]
    personas = [
        world + [draw.randrange(VOCABULARY - 4) for _ in range(crowd.persona_tokens)]
        for _ in range(crowd.npcs)
    ]
    outcome, jobs = Outcome(), iter(range(crowd.requests))
    connections = aiohttp.TCPConnector(limit=0, force_close=True)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with (
        aiohttp.ClientSession(sglang.url, connector=connections, timeout=timeout) as http,
        asyncio.TaskGroup() as group,
    ):
        telling = group.create_task(_tell(http, crowd, random.Random(crowd.seed)))

        async def work() -> None:
            for job in jobs:
                await _one(http, crowd, personas, job, outcome)

        async with asyncio.TaskGroup() as workers:
            for _ in range(crowd.concurrency):
                workers.create_task(work())
        telling.cancel()
    return outcome


async def _one(
    http: aiohttp.ClientSession,
    crowd: Crowd,
    personas: list[list[int]],
    job: int,
    outcome: Outcome,
) -> None:
    draw = random.Random(crowd.seed * 1_000_003 + job)
    npc = draw.randrange(crowd.npcs)
    tokens = draw.randrange(1, crowd.longest_reply_tokens + 1)
    body: dict[str, Any] = {
        "input_ids": personas[npc] + [draw.randrange(256) for _ in range(draw.randrange(1, 30))],
        "session_id": wire.session_id(npc),
        "sampling_params": {"temperature": 0, "max_new_tokens": tokens, "ignore_eos": True},
        "rid": f"stress-{job:06}",
    }
    if crowd.adapters and npc % 2:
        body["lora_path"] = crowd.adapters[npc % len(crowd.adapters)]
    fate = draw.random()
    asking = asyncio.ensure_future(_ask(http, body))
    if fate < 0.2:
        await asyncio.wait([asking], timeout=draw.uniform(0.0, 0.2))
    if fate < 0.1:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        outcome.hung_up += 1
        return
    if fate < 0.2:
        await http.post("/abort_request", json={"rid": body["rid"]})
    try:
        length, answer = await asking
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        outcome.lost.append(f"{job}: {type(error).__name__}: {error}")
        return
    if length == tokens:
        outcome.answered += 1
    elif fate < 0.2:
        outcome.aborted += 1
    else:
        outcome.lost.append(f"{job}: {length} of {tokens} tokens; {answer}")


async def _ask(http: aiohttp.ClientSession, body: dict[str, Any]) -> tuple[int, str]:
    """Return the length of the reply, 0 if SGLang says that it was aborted, and what it said."""
    async with http.post("/generate", json=body) as answer:
        text = await answer.text()
        meta = json.loads(text).get("meta_info", {})
        return int(meta.get("completion_tokens", 0)), f"{answer.status} {text}"


async def _tell(http: aiohttp.ClientSession, crowd: Crowd, draw: random.Random) -> None:
    """Flood it with distances that are mostly wrong, and forget somebody now and then."""
    loop = asyncio.get_running_loop()
    for seq in range(1, 10**9):
        handles = np.array(sorted(draw.sample(range(crowd.npcs), crowd.npcs // 2)), np.uint32)
        distance_s = np.array([draw.expovariate(0.2) for _ in handles], np.float32)
        if seq % 10 == 0:
            distance_s[0] = np.nan
        update = wire.Distances(seq, loop.time(), handles, distance_s, seq % 25 == 0)
        async with http.post(wire.DISTANCES_PATH, data=wire.encode_distances(update)) as answer:
            answer.raise_for_status()
        await asyncio.sleep(TELL_EVERY_S)
