"""An engine without a model: deterministic replies, pretended residency. For tests, CI and samples.

A reply depends on the NPC's name and persona and on the last turn, on nothing else. It streams word
by word; a word counts as a token. Prefixes are bytes in a ledger, so the planner and the mover work
as they do with a real engine.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import json
import math
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from callsheet_server.engine.engine import (
    Delta,
    EngineInfo,
    FinishReason,
    GenerationEnd,
    GenerationRequest,
    NpcProfile,
    Occupancy,
    Progress,
    TierUse,
)
from callsheet_server.engine.errors import (
    ContextTooLongError,
    EngineOverloadedError,
    EngineUnavailableError,
    GenerationError,
    UnknownNpcError,
)
from callsheet_server.engine.schema_sample import sample_json
from callsheet_server.engine.settings import ScriptedSettings
from callsheet_server.residency.errors import BudgetError, ResidencyError
from callsheet_server.residency.state import StateKind, StateStore, Tier
from callsheet_server.world.key import NpcKey

__all__ = ["ScriptedEngine", "ScriptedStore"]

_OPENERS = (
    "Well now,",
    "Let me think.",
    "Ah,",
    "Funny you should say that.",
    "Between us,",
)


class ScriptedStore:
    """A ``StateStore`` of kind ``PREFIX`` that only keeps the books."""

    def __init__(self, settings: ScriptedSettings) -> None:
        self._size_bytes = settings.prefix_bytes
        self._rebuild_s = settings.cold_delay_s
        self._budgets = {
            Tier.DEVICE: settings.device_budget_bytes,
            Tier.HOST: settings.host_budget_bytes,
            Tier.DISK: settings.disk_budget_bytes,
        }
        self._tiers: dict[Hashable, Tier] = {}
        self._lock = threading.Lock()

    @property
    def kind(self) -> StateKind:
        return StateKind.PREFIX

    def capacity_bytes(self, tier: Tier) -> int:
        return self._budgets.get(tier, 0)

    def items(self, tier: Tier) -> int:
        return list(self._tiers.values()).count(tier)

    def tier(self, key: Hashable) -> Tier:
        return self._tiers.get(key, Tier.ABSENT)

    def size_bytes(self, key: Hashable) -> int:  # noqa: ARG002
        return self._size_bytes

    def rebuild_s(self, key: Hashable) -> float:  # noqa: ARG002
        return self._rebuild_s

    def backed_up(self, key: Hashable) -> bool:  # noqa: ARG002
        return False

    def register(self, key: Hashable) -> None:
        """Announce a key; its state is absent."""
        with self._lock:
            self._tiers[key] = Tier.ABSENT

    def load(self, key: Hashable, target: Tier) -> int:
        return self._move(key, target) if target < self.tier(key) else 0

    def evict(self, key: Hashable, target: Tier) -> int:
        return self._move(key, target) if target > self.tier(key) else 0

    def drop(self, key: Hashable) -> None:
        with self._lock:
            self._tiers.pop(key, None)

    def check_integrity(self) -> None:
        for tier, budget in self._budgets.items():
            assert self.items(tier) * self._size_bytes <= budget, f"{tier.name} over budget"

    def _move(self, key: Hashable, target: Tier) -> int:
        with self._lock:
            if key not in self._tiers:
                raise ResidencyError(f"{key}: no such NPC was announced")
            taken = self.items(target) * self._size_bytes
            if target is not Tier.ABSENT and taken + self._size_bytes > self._budgets[target]:
                raise BudgetError(f"{target.name.lower()}: {taken} bytes taken, no room")
            self._tiers[key] = target
        return self._size_bytes


@dataclass(eq=False)
class _Request:
    request: GenerationRequest
    submitted_s: float
    tier: Tier
    admitted: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)


class ScriptedEngine:
    """An ``Engine`` for whatever must not depend on a model."""

    def __init__(self, settings: ScriptedSettings) -> None:
        self._settings = settings
        self._store = ScriptedStore(settings)
        self._profiles: dict[NpcKey, NpcProfile] = {}
        self._world_texts: dict[str, str] = {}
        self._requests: dict[str, _Request] = {}
        self._waiting: list[tuple[int, int, _Request]] = []
        self._running = 0
        self._serial = 0
        self._open = False

    @property
    def info(self) -> EngineInfo:
        try:
            own_version = version("callsheet")
        except PackageNotFoundError:
            own_version = "0"
        return EngineInfo(
            name="scripted",
            version=own_version,
            model="none",
            device="none",
            context_limit_tokens=self._settings.context_limit_tokens,
            keeps_residency=True,
        )

    @property
    def stores(self) -> Sequence[StateStore]:
        return (self._store,)

    async def start(self, report: Callable[[Progress], None]) -> None:
        report(Progress("scripted engine", 1, 1, "engines"))
        self._open = True

    async def close(self) -> None:
        self._open = False
        for request in self._requests.values():
            request.cancelled.set()
            request.admitted.set()

    def set_world_prefix(self, world: str, text: str) -> None:
        if self._world_texts.get(world, "") != text:
            self._world_texts[world] = text
            for key in self._profiles:
                if key.world == world:
                    self._store.register(key)

    def put_npc(self, profile: NpcProfile) -> None:
        if self._profiles.get(profile.key) != profile:
            self._profiles[profile.key] = profile
            self._store.register(profile.key)

    def forget_npc(self, key: NpcKey) -> None:
        self._profiles.pop(key, None)
        self._store.drop(key)
        for request_id, request in self._requests.items():
            if request.request.npc == key:
                self.cancel(request_id)

    def publish(self, world: str, npcs: Sequence[str], distance_s: NDArray[np.float32]) -> None:
        """Nothing to plan here: the server does."""

    async def submit(self, request: GenerationRequest) -> AsyncIterator[Delta | GenerationEnd]:
        text = self._checked_reply(request)
        mine = _Request(request, time.perf_counter(), self._store.tier(request.npc))
        self._requests[request.request_id] = mine
        self._serial += 1
        heapq.heappush(self._waiting, (int(request.priority), self._serial, mine))
        self._admit()
        try:
            async for item in self._stream(mine, text):
                yield item
        finally:
            del self._requests[request.request_id]
            if mine.admitted.is_set():
                self._running -= 1
            self._waiting = [item for item in self._waiting if item[2] is not mine]
            heapq.heapify(self._waiting)
            self._admit()

    def cancel(self, request_id: str) -> bool:
        request = self._requests.get(request_id)
        if request is None:
            return False
        request.cancelled.set()
        return True

    def occupancy(self) -> Occupancy:
        store = self._store
        return Occupancy(
            tiers=tuple(
                TierUse(
                    kind=store.kind,
                    tier=tier,
                    used_bytes=store.items(tier) * self._settings.prefix_bytes,
                    budget_bytes=store.capacity_bytes(tier),
                    items=store.items(tier),
                )
                for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK)
            ),
            running=self._running,
            queued=len(self._waiting),
        )

    def check_integrity(self) -> None:
        self._store.check_integrity()
        assert 0 <= self._running <= self._settings.max_batch, f"{self._running} running"

    def _checked_reply(self, request: GenerationRequest) -> list[str]:
        """The words of the reply; raises what ``submit`` raises."""
        if not self._open:
            raise EngineUnavailableError("the engine is not running")
        profile = self._profiles.get(request.npc)
        if profile is None:
            raise UnknownNpcError(f"{request.npc} was not announced")
        if request.request_id in self._requests:
            raise GenerationError(f"request_id {request.request_id!r} is in use; choose another")
        if not request.turns:
            raise GenerationError("turns: is empty; give at least the turn to answer")
        if len(self._waiting) >= self._settings.max_queue:
            raise EngineOverloadedError(
                f"{len(self._waiting)} requests are waiting (max_queue)", retry_after_s=1.0
            )
        room = self._settings.context_limit_tokens - request.max_new_tokens
        if self._prompt_tokens(request, 1) > room:
            raise ContextTooLongError(f"{request.npc}: the prompt exceeds {room} words")
        last = request.turns[-1]
        seed_text = f"{profile.name}|{profile.persona}|{last.speaker}|{last.text}"
        seed = int.from_bytes(hashlib.sha256(seed_text.encode()).digest()[:4], "big")
        if request.json_schema is not None:
            value = sample_json(request.json_schema, seed, request.json_schema)
            return [json.dumps(value)]
        opener = _OPENERS[seed % len(_OPENERS)]
        persona = " ".join(profile.persona.split()[:12]).rstrip(".") or "no one in particular"
        text = f'{opener} "{last.text.strip()}", you say? I am {profile.name}: {persona}.'
        cuts = [at for stop in request.stop if stop and (at := text.find(stop)) >= 0]
        words = text[: min(cuts, default=len(text))].split(" ")
        return [words[0], *(f" {word}" for word in words[1:])]

    def _prompt_tokens(self, request: GenerationRequest, turns: int) -> int:
        profile = self._profiles[request.npc]
        world = self._world_texts.get(request.npc.world, "")
        told = [world, profile.persona, *(turn.text for turn in request.turns[-turns:])]
        return sum(len(text.split()) for text in told)

    def _admit(self) -> None:
        while self._waiting and self._running < self._settings.max_batch:
            _, _, request = heapq.heappop(self._waiting)
            self._running += 1
            request.admitted.set()

    async def _stream(
        self, mine: _Request, words: list[str]
    ) -> AsyncIterator[Delta | GenerationEnd]:
        request, settings = mine.request, self._settings
        await _first(mine.admitted, mine.cancelled)
        admitted_s = time.perf_counter()
        first_s, sent = math.inf, 0
        reason: FinishReason = "stop"
        resident = self._store.tier(request.npc) is Tier.DEVICE
        if not resident and not await _slept(settings.cold_delay_s, mine.cancelled):
            try:
                self._store.load(request.npc, Tier.DEVICE)
            except ResidencyError:
                pass  # it runs from transient memory, as the embedded engine would
        for word in words:
            if mine.cancelled.is_set():
                reason = "cancelled"
                break
            if sent == request.max_new_tokens:
                reason = "length"
                break
            first_s = min(first_s, time.perf_counter())
            sent += 1
            yield Delta(word)
            if request.npc.npc in settings.fail_npcs:
                raise GenerationError(f"{request.npc}: is in fail_npcs")
            await _slept(settings.token_delay_s, mine.cancelled)
        now_s = time.perf_counter()
        prompt = self._prompt_tokens(request, len(request.turns))
        yield GenerationEnd(
            finish_reason=reason,
            prompt_tokens=prompt,
            cached_tokens=len(self._profiles[request.npc].persona.split()) if resident else 0,
            generated_tokens=sent,
            tier_at_start=mine.tier,
            queue_s=admitted_s - mine.submitted_s,
            ttft_s=first_s - mine.submitted_s,
            total_s=now_s - mine.submitted_s,
        )


async def _first(one: asyncio.Event, other: asyncio.Event) -> None:
    """Wait until either is set."""
    tasks = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _slept(seconds: float, unless: asyncio.Event) -> bool:
    """Sleep; True = ``unless`` was set meanwhile and cut it short."""
    try:
        async with asyncio.timeout(seconds):
            await unless.wait()
    except TimeoutError:
        await asyncio.sleep(0)
    return unless.is_set()
