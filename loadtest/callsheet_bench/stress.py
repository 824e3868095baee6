"""Crowds that do to an SGLang what players do: ask at once, hang up, abort, are forecast badly."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from callsheet_sglang import wire

__all__ = ["Crowd", "Outcome", "play"]

WORLD_TOKENS = 40
LARGEST_TOKEN = 508
TIMEOUT_S = 120.0
TELL_EVERY_S = 0.05
SWAP_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """NPCs and what is asked of them."""

    npcs: int
    concurrency: int
    requests: int = sys.maxsize
    seconds: float = float("inf")
    """No request is sent after so long."""
    persona_tokens: int = 90
    longest_reply_tokens: int = 24
    adapters: Mapping[str, Path] = field(default_factory=dict)
    """LoRA adapters: used by every other NPC in turn, and given weights of each other meanwhile."""
    seed: int = 1


@dataclass(slots=True)
class Outcome:
    """Ends of requests."""

    answered: int = 0
    aborted: int = 0
    hung_up: int = 0
    swapped: int = 0
    """Adapters that were given new weights."""
    lost: list[str] = field(default_factory=list)
    """Requests that were neither ended by the client nor answered whole, and how they ended."""


async def play(url: str, crowd: Crowd) -> Outcome:
    """Ask everything, tell distances meanwhile; abort a request in ten, hang up on one in ten."""
    loop, draw = asyncio.get_running_loop(), random.Random(crowd.seed)
    world = [draw.randrange(256) for _ in range(WORLD_TOKENS)]
    personas = [
        world + [draw.randrange(LARGEST_TOKEN) for _ in range(crowd.persona_tokens)]
        for _ in range(crowd.npcs)
    ]
    outcome, ends_s = Outcome(), loop.time() + crowd.seconds
    jobs = iter(range(crowd.requests))
    connections = aiohttp.TCPConnector(limit=0, force_close=True)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with (
        aiohttp.ClientSession(url, connector=connections, timeout=timeout) as http,
        asyncio.TaskGroup() as group,
    ):
        meanwhile = [group.create_task(_tell(http, crowd, random.Random(crowd.seed)))]
        if crowd.adapters:
            meanwhile.append(group.create_task(_swap(http, crowd, outcome)))

        async def work() -> None:
            for job in jobs:
                if loop.time() >= ends_s:
                    return
                await _one(http, crowd, personas, job, outcome)

        async with asyncio.TaskGroup() as workers:
            for _ in range(crowd.concurrency):
                workers.create_task(work())
        for task in meanwhile:
            task.cancel()
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
        body["lora_path"] = list(crowd.adapters)[npc // 2 % len(crowd.adapters)]
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


async def _swap(http: aiohttp.ClientSession, crowd: Crowd, outcome: Outcome) -> None:
    """Give each adapter in turn the weights of the next one, for ever."""
    names, folders = list(crowd.adapters), list(crowd.adapters.values())
    for turn in itertools.count():
        await asyncio.sleep(SWAP_EVERY_S)
        name = names[turn % len(names)]
        path = folders[(turn + 1 + turn // len(names)) % len(folders)]
        async with http.post(wire.ADAPTERS_PATH, json={"name": name, "path": str(path)}) as answer:
            if answer.status == 204:
                outcome.swapped += 1
            else:
                outcome.lost.append(f"swap of {name}: {answer.status} {await answer.text()}")
