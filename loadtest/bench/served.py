"""A town's calls answered by the embedded engine under one residency policy, in real time.

The trace's clock runs ``speed`` times faster than the wall's; calls arrive when the trace says,
whether or not the engine has kept up. Everything is the server's own (engine, controller, mover,
estimators); only the sockets are left out, and the policy's distances take the place of ours.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, StateStore, Tier
from callsheet_server.distance import Assumptions
from callsheet_server.engine.embedded.engine import EmbeddedEngine
from callsheet_server.engine.embedded.settings import EmbeddedSettings, EmbeddedTuning
from callsheet_server.engine.engine import GenerationEnd, GenerationRequest, NpcProfile, Sampling
from callsheet_server.engine.mover import Mover
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.residency.policies import Policy, Recording
from callsheet_server.tools.simulation import Playback
from callsheet_server.tools.town.cast import Character
from callsheet_server.trace import Trace, TraceCall
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Turn

WORLD = "bench"
LORE = "You live in Saltmere, a small harbour town. Answer in one short sentence."
DEEDS = (
    "mended the nets of {other}",
    "lent {other} a ladder and never got it back",
    "walked to the lighthouse with {other}",
    "lost a wager to {other} at the tavern",
    "bought eels from {other} on market day",
    "helped {other} to carry a chest up the hill",
)
REPLY_TOKENS = 8


@dataclass(slots=True)
class Served:
    """Measurements of one policy."""

    policy: str
    calls: int = 0
    """Measured: those after the warm-up."""
    tiers: dict[str, int] = field(default_factory=dict)
    """Prefixes of these calls, by their tier when the call arrived."""
    ttft_s: list[float] = field(default_factory=list)
    wall_s: float = 0.0
    """Time from the first measured call to the last measured reply."""
    cpu_s: float = 0.0
    moved_bytes: int = 0
    """Between device and host, both ways."""
    rebuilds: int = 0

    def summary(self) -> dict[str, object]:
        p50_s, p95_s = np.percentile(self.ttft_s, [50, 95])
        return {
            "policy": self.policy,
            "calls": self.calls,
            "hit_rate": self.tiers.get("device", 0) / self.calls,
            "tiers": self.tiers,
            "ttft_p50_ms": 1e3 * float(p50_s),
            "ttft_p95_ms": 1e3 * float(p95_s),
            "replies_per_s": self.calls / self.wall_s,
            "cpu_s_per_reply": self.cpu_s / self.calls,
            "moved_bytes": self.moved_bytes,
            "rebuilds": self.rebuilds,
        }


def personas(cast: tuple[Character, ...], words: int) -> list[str]:
    """The cast's personas, each with memories of its own up to about ``words`` words."""
    texts = []
    for index, character in enumerate(cast):
        text, day = character.persona, 0
        while len(text.split()) < words:
            day += 1
            other = cast[(index * 7 + day) % len(cast)].name
            deed = DEEDS[(index + day) % len(DEEDS)].format(other=other)
            text += f" {day} days ago {character.name} {deed}."
        texts.append(text)
    return texts


async def prefix_bytes(cast: tuple[Character, ...], texts: list[str]) -> int:
    """Return the bytes of all NPCs' prefixes."""
    with tempfile.TemporaryDirectory() as folder:
        engine = await _engine(cast, texts, 1 << 30, 0, Path(folder))
        store = engine.stores[0]
        total = sum(store.size_bytes(NpcKey(WORLD, c.id)) for c in cast)
        await engine.close()
        return total


async def serve(
    trace: Trace,
    cast: tuple[Character, ...],
    texts: list[str],
    policy: Policy[Recording],
    device_bytes: int,
    speed: float,
    warm_up_s: float,
) -> Served:
    """Play ``trace`` under ``policy``.

    Args:
        trace: rows are those of ``cast``.
        cast: the NPCs.
        texts: their personas.
        policy: one of ``POLICIES``.
        device_bytes: the arena's budget.
        speed: game seconds per second.
        warm_up_s: game time at the start that is not measured.
    """
    with tempfile.TemporaryDirectory() as folder:
        host_bytes = 1 << 34 if policy.parks else 0
        engine = await _engine(cast, texts, device_bytes, host_bytes, Path(folder))
        run = _Run(trace, cast, policy, engine)
        try:
            await run.play(speed, warm_up_s)
        finally:
            await run.close()
        return run.served


async def _engine(
    cast: tuple[Character, ...], texts: list[str], device_bytes: int, host_bytes: int, folder: Path
) -> EmbeddedEngine:
    engine = EmbeddedEngine(
        EmbeddedSettings(
            device_budget_bytes=device_bytes,
            host_budget_bytes=host_bytes,
            disk_budget_bytes=0,
            max_batch=4,
            state_dir=folder,
        ),
        EmbeddedTuning(keep_conversation=False, max_queue=10_000),
    )
    await engine.start(lambda _: None)
    engine.set_world_prefix(WORLD, LORE)
    for character, text in zip(cast, texts, strict=True):
        engine.put_npc(NpcProfile(NpcKey(WORLD, character.id), character.name, text))
    # Prompts are made in the order announced: one answer of the last NPC means that all are known.
    async for _ in engine.submit(_request("warm-up", NpcKey(WORLD, cast[-1].id))):
        pass
    return engine


def _request(request_id: str, npc: NpcKey) -> GenerationRequest:
    return GenerationRequest(
        request_id=request_id,
        npc=npc,
        turns=(Turn("Anna", "Good day! What news do you have for me?"),),
        max_new_tokens=REPLY_TOKENS,
        sampling=Sampling(temperature=0.0),
    )


class _Run:
    def __init__(
        self,
        trace: Trace,
        cast: tuple[Character, ...],
        policy: Policy[Recording],
        engine: EmbeddedEngine,
    ) -> None:
        self.served = Served(policy.name)
        self._trace = trace
        self._policy = policy
        self._engine = engine
        self._keys = [NpcKey(WORLD, c.id) for c in cast]
        self._prefixes: StateStore = engine.stores[0]
        self._replay = Playback(trace, Assumptions())
        self._controller = ResidencyController(engine.stores, policy.settings(PolicySettings()))
        self._mover = Mover(engine.stores, self._controller, lambda _: self._note_moves())
        self._tiers = [Tier.ABSENT] * len(cast)
        self._tasks: set[asyncio.Task[None]] = set()
        self._measured_from_s = 0.0
        for row, key in enumerate(self._keys):
            self._controller.link(WORLD, row, StateKind.PREFIX, key)

    async def play(self, speed: float, warm_up_s: float) -> None:
        process = psutil.Process()
        calls = iter(self._trace.calls)
        call = next(calls, None)
        begun_s = time.perf_counter()
        first_s = cpu_s = 0.0
        for tick in self._trace.ticks:
            await asyncio.sleep(max(0.0, begun_s + tick.time_s / speed - time.perf_counter()))
            if not first_s and tick.time_s >= warm_up_s:
                self._measured_from_s, first_s = tick.time_s, time.perf_counter()
                cpu_s = process.cpu_times().user
            while call is not None and call.time_s <= tick.time_s:
                self._call(call)
                call = next(calls, None)
            self._replay.tick(tick)
            self._plan()
        await asyncio.gather(*self._tasks)
        self.served.wall_s = time.perf_counter() - first_s
        self.served.cpu_s = process.cpu_times().user - cpu_s

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._mover.close()
        await self._engine.close()

    def _plan(self) -> None:
        for key in self._prefixes.take_changes():
            self._controller.refresh(StateKind.PREFIX, key)
        distance_s = self._policy.distance_s(self._replay)
        self._controller.set_distances(WORLD, distance_s)
        self._engine.publish(WORLD, tuple(key.npc for key in self._keys), distance_s)
        self._mover.submit(self._controller.step(time.monotonic()))
        self._note_moves()

    def _call(self, call: TraceCall) -> None:
        self._replay.begin_call(call.row)
        task = asyncio.create_task(self._answer(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        plan = self._controller.demand(StateKind.PREFIX, self._keys[call.row])
        self._mover.submit(plan, urgent=True)

    async def _answer(self, call: TraceCall) -> None:
        request = _request(f"{call.time_s}/{call.row}", self._keys[call.row])
        async for item in self._engine.submit(request):
            if isinstance(item, GenerationEnd) and call.time_s >= self._measured_from_s > 0:
                served, tier = self.served, item.tier_at_start.name.lower()
                served.calls += 1
                served.tiers[tier] = served.tiers.get(tier, 0) + 1
                served.ttft_s.append(item.ttft_s)
        self._replay.end_call(call.row, self._replay.now_s)

    def _note_moves(self) -> None:
        """Count what changed its tier since the last look, whoever moved it."""
        for row, key in enumerate(self._keys):
            before, now = self._tiers[row], self._prefixes.tier(key)
            self._tiers[row] = now
            if now is before or not self._measured_from_s:
                continue
            if before is Tier.ABSENT:
                self.served.rebuilds += 1
            elif now is not Tier.ABSENT:
                self.served.moved_bytes += self._prefixes.size_bytes(key)


def median_summary(runs: list[Served]) -> dict[str, object]:
    """One policy over its repetitions: the median of every figure, and the spread of replies/s."""
    rows = [run.summary() for run in runs]
    figures = [name for name, value in rows[0].items() if isinstance(value, (int, float))]
    return {
        "policy": runs[0].policy,
        **{name: statistics.median(float(str(row[name])) for row in rows) for name in figures},
        "tiers": rows[0]["tiers"],
        "replies_per_s_runs": [row["replies_per_s"] for row in rows],
    }
