"""Ways of serving a day on the same replicas: our cluster, and rules of routing."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from callsheet_bench.cluster.real.day import WORLD, Day
from callsheet_bench.cluster.real.routes import Route
from callsheet_server.engine.calls import Calls
from callsheet_server.engine.cluster.engine import ClusterEngine
from callsheet_server.engine.engine import GenerationEnd, at_once
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.sglang.generate import Prompt, generate
from callsheet_server.engine.sglang.peer import Peer
from callsheet_sglang.wire import DISTANCES_PATH, Distances, encode_distances

__all__ = ["Contender", "OurCluster", "Routed", "RouterClient", "ThroughRouter"]


class RouterClient(ModelServer):
    """Client of a router."""

    def __init__(self, url: str, decode: Callable[[Sequence[int]], str]) -> None:
        """``decode``: tokens -> text that the model's tokenizer turns into the same tokens."""
        super().__init__("the router", url)
        self._decode = decode

    async def stream(
        self,
        path: str,
        json: Any,
        gather_s: Callable[[], float] = at_once,
        *,
        latest_only: bool = False,
    ) -> AsyncGenerator[list[Any]]:
        body = {name: value for name, value in json.items() if name != "input_ids"}
        body["text"] = self._decode(json["input_ids"])
        async with aclosing(
            super().stream(path, body, gather_s, latest_only=latest_only)
        ) as batches:
            async for events in batches:
                yield events


class Contender(Protocol):
    """Serves a day."""

    async def ask(self, number: int) -> GenerationEnd:
        """Serve a call."""
        ...

    async def publish(self, distance_s: NDArray[np.float32]) -> None:
        """Take distances, (N,) float32."""
        ...

    async def leave(self) -> None:
        """Have the replicas forget who there was."""
        ...


class OurCluster:
    """Callsheet's engine, started."""

    def __init__(self, engine: ClusterEngine, day: Day) -> None:
        self._engine = engine
        self._day = day
        for profile in day.profiles:
            engine.put_npc(profile)

    async def ask(self, number: int) -> GenerationEnd:
        end = None
        async for item in self._engine.submit(self._day.requests[number]):
            end = item
        assert isinstance(end, GenerationEnd)
        return end

    async def publish(self, distance_s: NDArray[np.float32]) -> None:
        self._engine.publish(WORLD, self._day.names, distance_s)

    async def leave(self) -> None:
        self._engine.forget_world(WORLD)
        await asyncio.sleep(1.0)  # The replicas are told ten times a second.
        await self._engine.close()


class _Requests:
    """Requests as our engine sends them, and distances to every replica: it may be any of them."""

    def __init__(self, day: Day, replicas: Sequence[Peer]) -> None:
        self._day = day
        self._replicas = replicas
        self._rows = {name: row for row, name in enumerate(day.names)}
        self._calls = Calls(len(day.requests))
        self._sender = secrets.randbits(62) + 1 if replicas[0].takes_senders else 0
        self._seq = itertools.count(1)

    async def _send(self, peer: Peer, number: int) -> GenerationEnd:
        request = self._day.requests[number]
        row = self._rows[request.npc.npc]
        prompt = Prompt(
            rid=f"bench-{self._sender}-{number:06d}",
            handle=row,
            tokens=self._day.prompts[number],
            prefix_tokens=self._day.prefix_tokens[row],
            adapter=None,
            sender=self._sender,
        )
        end = None
        with self._calls.open(request) as call:
            async for item in generate(peer, prompt, call):
                end = item
        assert isinstance(end, GenerationEnd)
        return end

    async def publish(self, distance_s: NDArray[np.float32]) -> None:
        if self._replicas[0].plugin is None:
            return
        handles = np.arange(len(distance_s), dtype=np.uint32)
        update = Distances(
            next(self._seq), time.monotonic(), handles, distance_s, full=True, sender=self._sender
        )
        body = encode_distances(update)
        await asyncio.gather(
            *(peer.server.post(DISTANCES_PATH, body=body) for peer in self._replicas)
        )

    async def leave(self) -> None:
        await self.publish(np.zeros(0, np.float32))


class Routed(_Requests):
    """Requests sent where a rule says."""

    def __init__(self, day: Day, replicas: Sequence[Peer], route: Route) -> None:
        super().__init__(day, replicas)
        self._route = route

    async def ask(self, number: int) -> GenerationEnd:
        replica = self._route.choose(self._day.requests[number].npc.npc)
        try:
            return await self._send(self._replicas[replica], number)
        finally:
            self._route.ended(replica)


class ThroughRouter(_Requests):
    """Requests sent to a router, as text: that is what SGLang's looks at."""

    def __init__(self, day: Day, replicas: Sequence[Peer], router: RouterClient) -> None:
        super().__init__(day, replicas)
        self._router = replace(replicas[0], server=router)

    async def ask(self, number: int) -> GenerationEnd:
        return await self._send(self._router, number)
