"""Messages that let anyone see what the server does and why."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from callsheet.wire.base import Reliable, Request, ServerMessage, ServerPart
from callsheet.wire.fields import (
    Count,
    Handle,
    Many,
    Name,
    NpcId,
    PlayerId,
    PolicyName,
    RequestId,
    Role,
    Serial,
    StateKindName,
    TierName,
    Vec3,
)

__all__ = [
    "ChanceStats",
    "DrainReplica",
    "EstimatorView",
    "Explain",
    "Explanation",
    "ForecastStats",
    "Move",
    "Moves",
    "NpcState",
    "NpcStates",
    "PlayerState",
    "RememberedLine",
    "ReplicaState",
    "ReplicaStats",
    "SetPolicy",
    "SourceStats",
    "Stats",
    "Subscribe",
    "TierStats",
    "Topic",
    "TtftStats",
]

Topic = Literal["replies", "residency", "npcs", "stats"]
"""Something a session can be told of."""


class Subscribe(Request):
    """Sets what this session is told of; answered by ``ok``. An empty list ends all of it."""

    type: Literal["subscribe"] = "subscribe"
    topics: Annotated[Many[Topic], Field(max_length=4)]
    interval_s: Annotated[float, Field(ge=0.05, le=60)] = 0.5
    """Wall time between two ``npc_states``, and between two ``stats``."""


class Explain(Request):
    """Asks why an NPC has the distance it has; answered by ``explanation``."""

    type: Literal["explain"] = "explain"
    npc: NpcId


class SetPolicy(Request):
    """Sets by which policy the server moves state, in all worlds; answered by ``ok``."""

    roles: ClassVar[frozenset[Role]] = frozenset({"observer"})
    type: Literal["set_policy"] = "set_policy"
    policy: PolicyName


class DrainReplica(Request):
    """Moves every NPC away from a replica of the engine, in all worlds; answered by ``ok`` at once.

    ``stats`` tells when it is drained: then it may be stopped.
    """

    roles: ClassVar[frozenset[Role]] = frozenset({"game", "observer"})
    type: Literal["drain_replica"] = "drain_replica"
    replica: Annotated[str, Field(min_length=1, max_length=300)]
    """Its name, as ``stats`` has it."""
    undo: bool = False
    """True: it is taken into use again."""


class EstimatorView(ServerPart):
    """One estimator's distance for an NPC, and its reason."""

    name: str
    """"conversation", "schedule", "proximity", "encounter", "history", "chain" or another."""
    distance_s: float | None = None
    """None = no expectation."""
    why: str
    """One sentence for a developer."""


class RememberedLine(ServerPart):
    """A line that an NPC remembers: heard, overheard, said, or what became of an action."""

    speaker: str | None = None
    """None = the NPC itself."""
    text: str
    """The line's first 300 characters."""


class Explanation(Reliable):
    """An NPC's distance, what each estimator says of it, and what the NPC remembers last."""

    type: Literal["explanation"] = "explanation"
    id: RequestId
    npc: NpcId
    game_time_s: float
    distance_s: float | None = None
    """None = no expectation."""
    estimator: str | None = None
    """The estimator that won; None if none expects a call."""
    tier: TierName
    estimators: Many[EstimatorView]
    note: str | None = None
    """Reason why the NPC cannot speak; None = nothing is known against it."""
    remembers: Many[RememberedLine] | None = None
    """The latest lines that the server has at hand, at most 8, the oldest first; None = none."""
    outlook: str | None = None
    """Chances of a call within some seconds, for a developer; None = too few calls to say."""


class Move(ServerPart):
    """A piece of state that changed its tier."""

    kind: StateKindName
    key: str
    """NPC id (prefix, blob), adapter id or model id."""
    source: TierName
    target: TierName
    bytes: Count
    seconds: float
    reason: str
    distance_s: float | None = None
    error: str | None = None


class Moves(ServerMessage):
    """State that moved since the last ``moves`` (topic "residency")."""

    type: Literal["moves"] = "moves"
    game_time_s: float
    moves: Many[Move]
    dropped: Count = 0
    """Moves left out because the session could not keep up."""


class NpcState(ServerPart):
    """One NPC of a world."""

    npc: NpcId
    handle: Handle
    position: Vec3
    distance_s: float | None = None
    estimator: str | None = None
    tier: TierName
    in_conversation: bool = False
    name: Name | None = None
    interaction_radius_m: float | None = None
    bytes: Count | None = None
    """Size of its prefix, in its tier or once built. None = the engine keeps that."""
    last_call_s: float | None = None
    """Game time at which its last reply ended. None = it has not spoken yet."""


class PlayerState(ServerPart):
    """One player of a world."""

    player: PlayerId
    handle: Handle
    position: Vec3
    name: Name | None = None


class NpcStates(ServerMessage):
    """Places and distances of all NPCs (topic "npcs"), in parts under 64 KB."""

    type: Literal["npc_states"] = "npc_states"
    game_time_s: float
    part: Count
    """Index of this part, from 0."""
    parts: Serial
    npcs: Many[NpcState] = ()
    players: Many[PlayerState] = ()


class TierStats(ServerPart):
    """Use of one tier by state of one kind."""

    kind: StateKindName
    tier: TierName
    used_bytes: Count
    budget_bytes: Count
    items: Count


ReplicaState = Literal["serving", "draining", "drained", "lost"]
"""Use that a replica is of."""


class ReplicaStats(ServerPart):
    """Load of one replica of the engine, by all worlds."""

    name: str
    state: ReplicaState
    npcs: Count
    """NPCs at home there."""
    arriving: Count
    """NPCs that are warmed there before they move in."""
    running: Count
    queued: Count
    replies: Count
    device_hits: Count
    """Replies whose prefix lay on the device."""
    soonest: Many[NpcId]
    """NPCs of this world at home there that need it next, soonest first, at most 8."""


class TtftStats(ServerPart):
    """Time to first token: all replies counted, percentiles of the latest."""

    replies: Count
    p50_s: float | None = None
    p95_s: float | None = None


class ChanceStats(ServerPart):
    """Chances said of calls within some seconds, and what came; each look is at one NPC."""

    within_s: float
    band: str
    """"unlikely" (below 10 %), "possible" or "likely" (from 50 %)."""
    looks: Count
    said: float
    """Sum of the chances: the looks after which a call was to come."""
    came: Count
    """Looks after which one came."""


class SourceStats(ServerPart):
    """Worth of one source of the forecast."""

    name: str
    """"proximity", "encounter", "history", "chain" or another."""
    foremost: Count
    """Callers that an order without this source would have had in front."""


class ForecastStats(ServerPart):
    """Said against seen, as learned in this world since the server runs."""

    chances: Many[ChanceStats]
    callers: Count
    """Looks after which a call came within 5 s; nobody had announced it."""
    foremost: Count
    """Those of them that were in the front quarter of the order."""
    sources: Many[SourceStats]


class Stats(ServerMessage):
    """Counts of the server's work for this world so far (topic "stats")."""

    type: Literal["stats"] = "stats"
    game_time_s: float
    npcs: Count
    players: Count
    ticks: Count
    npc_updates: Count
    requests: Count
    replies: Count
    errors: Count
    running: Count
    queued: Count
    tiers: Many[TierStats]
    loads: Count
    evictions: Count
    loaded_bytes: Count
    evicted_bytes: Count
    ttft_resident: TtftStats
    ttft_not_resident: TtftStats
    policy: str | None = None
    """The policy that moves state; see ``SetPolicy``. None = the engine plans for itself."""
    replicas: Many[ReplicaStats] | None = None
    """Replicas of the engine; None = it has none."""
    forecast: ForecastStats | None = None
    """Said against seen; None = too few calls to say."""
