"""Interface between the server and whatever generates text.

Five engines ship: ``scripted`` (deterministic, no model), ``llamacpp`` (llama.cpp in a child
process), ``embedded`` (torch in process), ``sglang`` (an SGLang server, with our plugin in it) and
``openai`` (any endpoint that speaks that protocol). The server drives all of them through the
``Engine`` protocol below.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.actions import Action
from callsheet_residency.state import StateKind, StateStore, StateView, Tier
from callsheet_server.engine.misfits import Misfits
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Turn

__all__ = [
    "AdapterUse",
    "AdaptersChange",
    "Delta",
    "DoneMove",
    "Drainable",
    "Engine",
    "EngineInfo",
    "GenerationEnd",
    "GenerationRequest",
    "ManyModels",
    "NpcProfile",
    "Occupancy",
    "Priority",
    "Progress",
    "ReplicaLoad",
    "ReplicaState",
    "Sampling",
    "StopReason",
    "TierUse",
    "at_once",
]

StopReason = Literal["stop", "length", "cancelled"]
"""Reason why generation ended. A failed one raises; the wire's ``StopReason`` says "error"."""


ReplicaState = Literal["serving", "draining", "drained", "lost"]
"""Use that a replica is of; drained = nobody is at home there any more, and it may be stopped."""


def at_once() -> float:
    """Gather nothing: every piece of text is a delta of its own."""
    return 0.0


class Priority(IntEnum):
    """Order of requests that queue; smaller is sooner."""

    PLAYER = 0
    NPC = 1
    BACKGROUND = 2


@dataclass(frozen=True, slots=True)
class NpcProfile:
    """Profile that an engine needs to speak as an NPC; it fixes the NPC's prompt prefix."""

    key: NpcKey
    name: str
    persona: str
    adapter: str | None = None
    """Adapter id known to the engine; None = the base model."""
    style: str = ""
    """Instructions on how it is to answer; they end the prefix."""
    archetype: str | None = None
    """The game's word for its kind; it may choose the model."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Rules for choosing the next token. Temperature 0 = greedy, and nothing else matters then."""

    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 0
    """0 = no limit."""
    repetition_penalty: float = 1.1
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One LLM call for one NPC.

    The prompt is the world's prefix, the NPC's persona, then ``turns`` oldest first; the last turn
    is what the NPC answers. If that exceeds the context limit less ``max_new_tokens``, the oldest
    turns are left out, whole, until it fits.
    """

    request_id: str
    npc: NpcKey
    turns: tuple[Turn, ...]
    max_new_tokens: int = 96
    sampling: Sampling = field(default_factory=Sampling)
    priority: Priority = Priority.PLAYER
    stop: tuple[str, ...] = ()
    json_schema: Mapping[str, Any] | None = None
    """If given, the text generated is one JSON value valid under this JSON schema."""
    gather_s: Callable[[], float] = at_once
    """Asked after each delta: for how long the engine may gather text for the next one."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a reply. Joined, the deltas of a request are its text."""

    text: str
    margin: float | None = None
    """Under a JSON schema: the probability of its least certain token, less that of the best other
    one that the schema allowed there. None = the engine does not tell."""
    tokens: int = 1
    """Tokens it is made of, as far as the engine can tell."""


@dataclass(frozen=True, slots=True)
class GenerationEnd:
    """The last item of every stream that did not raise."""

    finish_reason: StopReason
    prompt_tokens: int
    cached_tokens: int
    """Prompt tokens whose KV was reused rather than computed for this request."""
    generated_tokens: int
    tier_at_start: Tier
    """Tier of the NPC's prefix when the request was submitted."""
    queue_s: float
    ttft_s: float
    """Submit to first token, queueing and loading included; +inf if no token came."""
    total_s: float


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Description of an engine, as told to clients."""

    name: str
    version: str
    model: str
    device: str
    context_limit_tokens: int
    keeps_residency: bool
    """False = the engine ignores distances (no state of ours lives in it)."""
    max_requests: int | None = None
    """Requests it takes at a time, running and waiting; None = it sets no limit of its own."""
    begins_in_thought: bool | None = None
    """True = replies begin inside a thought that the prompt has opened; None = not known."""
    sampling: Sampling = field(default_factory=Sampling)
    """Sampling that suits the model."""
    varies: bool = True
    """False = the same request always gets the same text."""
    replicas: int = 1
    """Copies of the model that share the work."""


@dataclass(frozen=True, slots=True)
class TierUse:
    """Use of one tier by one kind of state: bytes and items in it, and its budget."""

    kind: StateKind
    tier: Tier
    used_bytes: int
    budget_bytes: int
    items: int


@dataclass(frozen=True, slots=True)
class AdapterUse:
    """An adapter that NPCs may have."""

    adapter: str
    folder: str
    """Folder of its weights, as the engine sees it."""
    npcs: int
    """NPCs that have it."""


@dataclass(frozen=True, slots=True)
class ReplicaLoad:
    """Load of one replica of a cluster at one moment."""

    name: str
    state: ReplicaState
    npcs: int
    """NPCs at home there."""
    arriving: int
    """NPCs that are warmed there before they move in."""
    soonest: tuple[NpcKey, ...]
    """NPCs at home there that are due next, soonest first, at most 32."""
    running: int
    queued: int
    replies: int
    """Replies so far."""
    device_hits: int
    """Those of them whose prefix lay on the device."""
    tiers: tuple[TierUse, ...]


@dataclass(frozen=True, slots=True)
class Occupancy:
    """An engine's load at one moment."""

    tiers: tuple[TierUse, ...]
    running: int
    queued: int
    replicas: tuple[ReplicaLoad, ...] = ()
    """Of a cluster: of each replica."""


@dataclass(frozen=True, slots=True)
class DoneMove:
    """A move of state that was tried."""

    action: Action
    moved_bytes: int
    seconds: float
    """0 = not known."""
    error: Exception | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of a long job. ``total`` 0 = unknown; ``unit`` is "B", "tensors", ..."""

    label: str
    done: int
    total: int
    unit: str


class Engine(Protocol):
    """Generates text for NPCs and, if it can, keeps the soonest callers' state at hand.

    All methods are called from the event loop's thread and must not block it. Every failure that
    concerns a caller is an ``EngineError`` (see ``engine/errors.py``).
    """

    @property
    def info(self) -> EngineInfo:
        """Valid after ``start``."""

    @property
    def stores(self) -> Sequence[StateStore]:
        """The state the *server* plans for; empty if the engine plans for itself (sglang)."""

    @property
    def prefixes(self) -> StateView | None:
        """View of the tiers in which NPCs' prefixes lie, by ``NpcKey``; None if it cannot know."""

    @property
    def adapters(self) -> frozenset[str]:
        """Ids of the adapters NPCs may name."""

    @property
    def misfits(self) -> Misfits:
        """NPCs whose prefix leaves no room to talk; they are not warmed."""

    async def start(self, report: Callable[[Progress], None]) -> None:
        """Load the model. ``report`` may be called from any thread.

        Raises:
            EngineStartError: with the cause and the fix in its text.
        """

    async def close(self) -> None:
        """Cancel what runs, free everything. May be called twice, and without ``start``."""

    def set_world_prefix(self, world: str, text: str) -> Iterator[None]:
        """Set the lore of ``world``; its KV is kept once.

        Returns:
            The rest of the work, a short step at a time: dropping the KV of the NPCs there are.
            Until it is done, their KV may still be that of the lore before.
        """

    def put_npc(self, profile: NpcProfile) -> None:
        """Announce an NPC, or replace its profile (its prefix then counts as absent)."""

    def forget_npc(self, key: NpcKey) -> None:
        """Drop all state of an NPC and cancel its requests. Unknown keys are ignored."""

    def forget_world(self, world: str) -> None:
        """Release everything of ``world``: its NPCs, its shared prefix, what was published of it.

        Device bytes are as before the world began. Unknown worlds are ignored.
        """

    def publish(self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]) -> None:
        """Tell an engine that plans for itself how soon NPCs will call.

        Latest wins; engines coalesce and send on only what changed enough to matter. The engine
        may keep both arguments and read them from another thread, so the caller hands over
        snapshots that nobody touches again.

        Args:
            world: the NPCs' world.
            npcs: N NPC ids, "" for a row without an NPC. The same tuple as before tells an engine,
                at no cost, that nobody came or went.
            distance_s: (N,) float32, CPU, read-only; +inf = no expectation.
        """

    def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        """Queue a request and stream its reply. Nothing happens before the first ``__anext__``.

        Closing the generator early cancels the request.

        Raises (from the generator):
            UnknownNpcError, ContextTooLongError, EngineOverloadedError, EngineUnavailableError,
            GenerationError.
        """

    def cancel(self, request_id: str) -> bool:
        """Stop a request; its stream ends with finish_reason "cancelled". False = not known."""

    def take_moves(self) -> Sequence[DoneMove]:
        """Moves the engine made by its own plan since the last call, oldest first."""

    def occupancy(self) -> Occupancy: ...

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""


@runtime_checkable
class Drainable(Protocol):
    """An engine with replicas that can be stopped one by one."""

    def drain(self, name: str, *, undo: bool = False) -> None:
        """Move everybody away from a replica, ahead of need, so that it may be stopped.

        Args:
            name: of the replica.
            undo: take it into use again.

        Raises:
            EngineError: there is no such replica, or no other one to move them to.
        """


@runtime_checkable
class AdaptersChange(Protocol):
    """An engine whose adapters may come, change and go while it runs."""

    def adapters_in_use(self) -> tuple[AdapterUse, ...]:
        """Return the adapters by their ids."""

    async def set_adapter(self, adapter: str, folder: str, *, update: bool) -> None:
        """Add an adapter, or give one that is there new weights.

        Requests submitted afterwards use them, and no KV that the old ones have computed.

        Raises:
            UnknownAdapterError: there is none to update.
            EngineError: there is one already, or the weights cannot be used; all is as before.
        """

    async def remove_adapter(self, adapter: str) -> None:
        """Take an adapter away.

        Raises:
            UnknownAdapterError: there is none of that id.
            EngineError: an NPC has it, or the engine does not let go of it.
        """


@runtime_checkable
class ManyModels(Protocol):
    """An engine that runs several models; its state of kind ``WEIGHTS`` is they."""

    def model_of(self, archetype: str | None) -> str:
        """Key of the model that NPCs of an archetype speak with."""
