"""A deterministic engine without a model: for tests, CI, and games under development.

Replies are lines of ``small_talk``; the same question gets the same answer. An action is chosen
whose name is in the line that was heard ("Please open the door": ``open_door``). State is
simulated: every NPC has a prefix of a fixed size in one of the tiers, so the whole residency policy
is exercised without torch.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import heapq
import itertools
import math
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from callsheet._version import __version__
from callsheet_residency.state import StateKind, StateStore, StateView, Tier
from callsheet_server.engine.engine import (
    Delta,
    DoneMove,
    EngineInfo,
    GenerationEnd,
    GenerationRequest,
    NpcProfile,
    Occupancy,
    Progress,
    StopReason,
    TierUse,
)
from callsheet_server.engine.errors import (
    EngineOverloadedError,
    EngineUnavailableError,
    GenerationError,
    UnknownNpcError,
)
from callsheet_server.engine.json_instance import instance_of
from callsheet_server.engine.misfits import Misfits
from callsheet_server.engine.profiles import of_world
from callsheet_server.engine.prompt import persona_text, world_text
from callsheet_server.engine.simulated import SimulatedStore
from callsheet_server.engine.small_talk import small_talk
from callsheet_server.world.key import NpcKey

__all__ = ["ScriptedEngine", "ScriptedSettings", "ScriptedTraits"]
BYTES_PER_TOKEN = 4
"""Of English, with most models."""
PARKED_SHARE = 0.1
"""Time to bring a parked prefix, in times to compute one; real engines need less."""


class ScriptedSettings(BaseModel):
    """Settings of the engine without a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_delay_s: float = Field(
        default=0.02, ge=0, le=10, description="Time between two words of a reply."
    )
    rebuild_s: float = Field(
        default=0.2,
        ge=0,
        le=60,
        description="Added to the first word if the prefix is absent; a tenth of it if parked.",
    )
    device_budget_bytes: int = Field(
        default=64_000_000, ge=0, description="Simulated device memory for prefixes."
    )
    host_budget_bytes: int = Field(
        default=256_000_000, ge=0, description="Simulated host memory for prefixes."
    )


@dataclass(frozen=True)
class ScriptedTraits:
    """Traits that the engine without a model pretends to have; tests and benchmarks vary them."""

    prefix_bytes: int = 1_000_000
    """Size of every NPC's prefix."""
    disk_budget_bytes: int = 1_000_000_000
    """Disk space for prefixes: a thousand of them."""
    max_running: int = 64
    """Replies at the same time."""
    warns_at_tokens: int = 2_048
    """Context of the default engine: it warns of a persona that would not fit there."""
    max_queue: int = 10_000
    """Requests that may wait."""
    fail_npcs: tuple[str, ...] = ()
    """NPCs whose replies break off with an error."""


class ScriptedEngine:
    """Implements ``Engine``; everything happens in the event loop."""

    def __init__(
        self, settings: ScriptedSettings | None = None, traits: ScriptedTraits | None = None
    ) -> None:
        """``traits``: absent = the usual ones."""
        self._settings = settings or ScriptedSettings()
        self._traits = traits or ScriptedTraits()
        s = self._settings
        self._prefixes = SimulatedStore(
            StateKind.PREFIX,
            {
                Tier.DEVICE: s.device_budget_bytes,
                Tier.HOST: s.host_budget_bytes,
                Tier.DISK: self._traits.disk_budget_bytes,
            },
            s.rebuild_s,
        )
        self.misfits = Misfits()
        self._lore: dict[str, str] = {}
        self._profiles: dict[NpcKey, NpcProfile] = {}
        self._running: dict[str, tuple[NpcKey, asyncio.Event]] = {}
        self._waiting: list[tuple[int, int, asyncio.Event]] = []
        self._slots = self._traits.max_running
        self._arrival = itertools.count()
        self._started = False

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(
            name="scripted",
            version=__version__,
            model="none",
            device="none",
            context_limit_tokens=1_000_000,
            keeps_residency=True,
            max_requests=self._traits.max_running + self._traits.max_queue,
            begins_in_thought=False,
            varies=False,
        )

    @property
    def stores(self) -> Sequence[StateStore]:
        return (self._prefixes,)

    @property
    def prefixes(self) -> StateView:
        return self._prefixes

    @property
    def adapters(self) -> frozenset[str]:
        return frozenset()

    async def start(self, report: Callable[[Progress], None]) -> None:
        self._started = True

    async def close(self) -> None:
        self._started = False
        for _, cancelled in self._running.values():
            cancelled.set()

    def set_world_prefix(self, world: str, text: str) -> Iterator[None]:
        self._lore[world] = text
        return of_world(self._profiles, world, self._put)

    def put_npc(self, profile: NpcProfile) -> None:
        if self._profiles.get(profile.key) != profile:
            self._profiles[profile.key] = profile
            self._put(profile)

    def forget_npc(self, key: NpcKey) -> None:
        if self._profiles.pop(key, None) is None:
            return
        self._prefixes.drop(key)
        self.misfits.forget(key)
        for npc, cancelled in self._running.values():
            if npc == key:
                cancelled.set()

    def forget_world(self, world: str) -> None:
        for key in [key for key in self._profiles if key.world == world]:
            self.forget_npc(key)
        self._lore.pop(world, None)

    def publish(self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]) -> None:
        """Do nothing: the server plans for this engine's store."""

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        settings, submitted_s = self._settings, time.monotonic()
        if not self._started:
            raise EngineUnavailableError("the engine is not running")
        profile = self._profiles.get(request.npc)
        if profile is None:
            raise UnknownNpcError(f"no NPC {request.npc.npc!r} in world {request.npc.world!r}")
        tier = self._prefixes.tier(request.npc)
        cancelled = asyncio.Event()
        self._running[request.request_id] = request.npc, cancelled
        ttft_s, queue_s, said = math.inf, 0.0, 0
        finish: StopReason = "stop"
        try:
            async with self._slot(request.priority):
                queue_s = time.monotonic() - submitted_s
                if tier is not Tier.DEVICE:
                    absent = tier is Tier.ABSENT
                    await asyncio.sleep(settings.rebuild_s * (1.0 if absent else PARKED_SHARE))
                for piece in _pieces(profile, request):
                    if cancelled.is_set():
                        finish = "cancelled"
                        break
                    if said == request.max_new_tokens:
                        finish = "length"
                        break
                    if said == 3 and request.npc.npc in self._traits.fail_npcs:
                        raise GenerationError(f"{request.npc.npc} is set up to fail")
                    said += 1
                    ttft_s = min(ttft_s, time.monotonic() - submitted_s)
                    yield Delta(piece)
                    await asyncio.sleep(settings.token_delay_s)
        finally:
            del self._running[request.request_id]
        prompt = len(profile.persona.split()) + sum(len(t.text.split()) for t in request.turns)
        yield GenerationEnd(
            finish_reason=finish,
            prompt_tokens=prompt,
            cached_tokens=len(profile.persona.split()) if tier is not Tier.ABSENT else 0,
            generated_tokens=said,
            tier_at_start=tier,
            queue_s=queue_s,
            ttft_s=ttft_s,
            total_s=time.monotonic() - submitted_s,
        )

    def cancel(self, request_id: str) -> bool:
        _, cancelled = self._running.get(request_id, (None, None))
        if cancelled is None:
            return False
        cancelled.set()
        return True

    def take_moves(self) -> Sequence[DoneMove]:
        """Return no moves: the server plans for this engine."""
        return ()

    def occupancy(self) -> Occupancy:
        store = self._prefixes
        return Occupancy(
            tiers=tuple(
                TierUse(
                    StateKind.PREFIX,
                    tier,
                    store.used_bytes(tier),
                    store.capacity_bytes(tier),
                    store.items(tier),
                )
                for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK)
            ),
            running=len(self._running) - len(self._waiting),
            queued=len(self._waiting),
        )

    def check_integrity(self) -> None:
        self._prefixes.check_integrity()
        assert 0 <= self._slots <= self._traits.max_running, f"{self._slots} slots are free"

    def _put(self, profile: NpcProfile) -> None:
        """Keep the books on a prefix, unless the default model would have no room for it."""
        text = world_text(self._lore.get(profile.key.world, "")) + persona_text(profile)
        tokens = len(text.encode()) // BYTES_PER_TOKEN
        if self.misfits.judge(profile.key, tokens, self._traits.warns_at_tokens):
            self._prefixes.drop(profile.key)
        else:
            self._prefixes.put(profile.key, self._traits.prefix_bytes)

    @contextlib.asynccontextmanager
    async def _slot(self, priority: int) -> AsyncIterator[None]:
        """One of ``max_running`` places, given to the highest priority, then the first to come."""
        if self._slots == 0:
            if len(self._waiting) >= self._traits.max_queue:
                raise EngineOverloadedError(f"{len(self._waiting)} requests wait already", 1.0)
            turn = asyncio.Event()
            entry = (priority, next(self._arrival), turn)
            heapq.heappush(self._waiting, entry)
            try:
                await turn.wait()
            except asyncio.CancelledError:
                if turn.is_set():
                    self._give_slot()
                else:
                    self._waiting.remove(entry)
                    heapq.heapify(self._waiting)
                raise
        else:
            self._slots -= 1
        try:
            yield
        finally:
            self._give_slot()

    def _give_slot(self) -> None:
        if self._waiting:
            heapq.heappop(self._waiting)[2].set()
        else:
            self._slots += 1


def _pieces(profile: NpcProfile, request: GenerationRequest) -> list[str]:
    """The reply, cut into words that join to it."""
    if request.json_schema is not None:
        choice = _asked_for(request)
        if choice is None:
            heard = request.turns[-1].text if request.turns else ""
            choice = hashlib.sha256(f"{profile.name}\0{heard}".encode()).digest()[0]
        text = orjson.dumps(instance_of(request.json_schema, choice)).decode()
    else:
        text = small_talk(profile.name, request.turns)
    for stop in request.stop:
        text = text.partition(stop)[0]
    words = text.split(" ")
    return [word if index == 0 else f" {word}" for index, word in enumerate(words)]


def _asked_for(request: GenerationRequest) -> int | None:
    """Index of the first alternative whose action has all words of its name in the line heard."""
    alternatives = (request.json_schema or {}).get("anyOf", ())
    heard = next((t.text for t in reversed(request.turns[:-1]) if t.speaker is not None), "")
    said = set(re.findall(r"\w+", heard.lower()))
    for index, alternative in enumerate(alternatives):
        name = str(alternative.get("properties", {}).get("action", {}).get("const", ""))
        if name and said.issuperset(name.lower().split("_")):
            return index
    return None
