"""Messages by which a game builds its world and moves it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from callsheet.wire.base import ClientMessage, Part, Reliable, Request, ServerMessage, ServerPart
from callsheet.wire.fields import (
    ActionName,
    AdapterId,
    ArchetypeId,
    FlagName,
    Handle,
    JsonObject,
    Many,
    Name,
    NpcId,
    Persona,
    PlayerId,
    RequestId,
    Role,
    Seconds,
    Vec3,
    Whole,
)

__all__ = [
    "ActionSpec",
    "ConditionalLore",
    "ConfigureWorld",
    "Despawn",
    "Hint",
    "HintCalls",
    "Join",
    "Joined",
    "JsonTick",
    "MovePlayer",
    "NpcSpec",
    "PlayerSpec",
    "ScheduledCall",
    "Spawn",
    "Spawned",
    "SpawnedNpc",
    "SpawnedPlayer",
    "TickAck",
    "TickNpc",
    "TickPlayer",
    "UpdateNpc",
    "WorldClosed",
]

GAME_ONLY: frozenset[Role] = frozenset({"game"})
OBSERVER_ONLY: frozenset[Role] = frozenset({"observer"})

Speed = Annotated[float, Field(gt=0, le=1e4)]
Radius = Annotated[float, Field(ge=0, le=1e5)]
Share = Annotated[float, Field(ge=0, le=1)]
TickNumber = Annotated[int, Field(ge=0, le=2**32 - 1), Whole]


class ConditionalLore(Part):
    """Something NPCs know only where, when and while all its conditions hold."""

    text: Annotated[str, Field(min_length=1, max_length=1_000)]
    archetypes: Annotated[Many[ArchetypeId], Field(max_length=100)] | None = None
    """NPCs of these archetypes; None = all."""
    place: Vec3 | None = None
    """NPCs within ``radius_m`` of it; None = everywhere."""
    radius_m: Radius = 10.0
    from_s: Seconds | None = None
    """Game time from which it is known; None = 0."""
    until_s: Seconds | None = None
    """Game time from which it is not known any more; None = never."""
    every_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Game time after which ``from_s`` to ``until_s`` come again: a day; None = they do not."""
    flag: FlagName | None = None
    """While this flag is set; None = always."""


class ConfigureWorld(Request):
    """Sets what holds for a whole world. Fields left out keep their value."""

    roles: ClassVar[frozenset[Role]] = GAME_ONLY
    type: Literal["configure_world"] = "configure_world"
    lore: Persona | None = None
    """Text every NPC of the world knows; the prompt prefix they share."""
    player_max_speed_mps: Speed | None = None
    npc_max_speed_mps: Speed | None = None
    lore_entries: Annotated[Many[ConditionalLore], Field(max_length=256)] | None = None
    """Lore with conditions, in place of that before."""
    flags: Annotated[Many[FlagName], Field(max_length=256)] | None = None
    """Flags that are set now, such as those of quests; all others are not."""


class ScheduledCall(Part):
    """A time at which an NPC will need the model."""

    at_s: Seconds
    """Absolute game time."""
    every_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Game time between repeats; None = the call comes once."""


Knowledge = Annotated[
    Many[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=32)
]
Schedule = Annotated[Many[ScheduledCall], Field(max_length=64)]
Permissions = Annotated[Many[ActionName], Field(max_length=32)]


class ActionSpec(Part):
    """Something an NPC may do, as a function call."""

    name: ActionName
    description: Annotated[str, Field(max_length=500)]
    parameters: JsonObject
    """JSON schema (draft 2020-12) of an object; its properties are the arguments."""
    gated: bool | None = None
    """True = offered only where a ``say`` or a ``hear_answer`` allows it."""


ActionSpecs = Annotated[Many[ActionSpec], Field(max_length=32)]


class NpcSpec(Part):
    """An NPC as the game first describes it."""

    npc: NpcId
    name: Name
    persona: Persona = ""
    archetype: ArchetypeId | None = None
    """A label scripts can bind to ("guard")."""
    adapter: AdapterId | None = None
    """A LoRA adapter known to the engine."""
    interaction_radius_m: Radius = 3.0
    sociability: Share = 0.0
    """0 = never talks to other NPCs, 1 = with everyone in reach."""
    position: Vec3 | None = None
    schedule: Schedule = ()
    actions: Permissions | None = None
    """The only actions it may take, whatever its script offers; None = all of them."""
    action_specs: ActionSpecs | None = None
    """Actions that it can take without a script."""
    knowledge: Knowledge | None = None
    """Facts it knows, whatever its persona and its script say."""


class PlayerSpec(Part):
    """A player as the game first describes it."""

    player: PlayerId
    name: Name
    position: Vec3 | None = None


class Spawn(Request):
    """Adds NPCs and players to the world, all or none; answered by ``spawned``."""

    roles: ClassVar[frozenset[Role]] = GAME_ONLY
    type: Literal["spawn"] = "spawn"
    npcs: Many[NpcSpec] = ()
    players: Many[PlayerSpec] = ()


class SpawnedNpc(ServerPart):
    """The handle that ticks use for an NPC."""

    npc: NpcId
    handle: Handle


class SpawnedPlayer(ServerPart):
    """The handle that ticks use for a player."""

    player: PlayerId
    handle: Handle


class Spawned(Reliable):
    """The handles of what was spawned, in the order sent."""

    type: Literal["spawned"] = "spawned"
    id: RequestId
    npcs: Many[SpawnedNpc] = ()
    players: Many[SpawnedPlayer] = ()
    note: str | None = None
    """A note to the game's author, in one line."""


class UpdateNpc(Request):
    """Changes an NPC. Fields left out keep their value. Answered by ``ok``."""

    roles: ClassVar[frozenset[Role]] = frozenset({"game", "mod"})
    type: Literal["update_npc"] = "update_npc"
    npc: NpcId
    name: Name | None = None
    persona: Persona | None = None
    adapter: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_.:\-]*$")] | None = None
    """An adapter id; the empty string takes the adapter away."""
    interaction_radius_m: Radius | None = None
    sociability: Share | None = None
    schedule: Schedule | None = None
    actions: Permissions | None = None
    """The only actions it may take; only the game may say so."""
    action_specs: ActionSpecs | None = None
    """Actions that it can take without a script, in place of those before; from the game only."""
    knowledge: Knowledge | None = None
    """Facts it knows, in place of those before."""


class Despawn(Request):
    """Removes NPCs and players, all or none; open replies of the NPCs are cancelled.

    What the NPCs remember is kept.
    """

    roles: ClassVar[frozenset[Role]] = GAME_ONLY
    type: Literal["despawn"] = "despawn"
    npcs: Many[NpcId] = ()
    players: Many[PlayerId] = ()


class Hint(Part):
    """Hint at when one NPC will need the model next."""

    npc: NpcId
    in_s: Seconds | None = None
    """Seconds of game time from the last tick; None takes an earlier hint back."""


class HintCalls(Request):
    """Schedule hints outside ticks; answered by ``ok``. The last hint of an NPC wins."""

    roles: ClassVar[frozenset[Role]] = frozenset({"game", "mod"})
    type: Literal["hint_calls"] = "hint_calls"
    hints: Annotated[Many[Hint], Field(min_length=1, max_length=10_000)]


class TickNpc(Part):
    """One NPC in a JSON tick; the fields of the binary record."""

    handle: Handle
    position: Vec3
    velocity: Vec3 = (0.0, 0.0, 0.0)
    next_call_s: Seconds | None = None
    flags: Annotated[int, Field(ge=0, le=3), Whole] = 0


class TickPlayer(Part):
    """One player in a JSON tick; the fields of the binary record."""

    handle: Handle
    position: Vec3
    velocity: Vec3 = (0.0, 0.0, 0.0)


class JsonTick(ClientMessage):
    """A tick as JSON, for debugging and for clients without binary frames."""

    roles: ClassVar[frozenset[Role]] = GAME_ONLY
    type: Literal["tick"] = "tick"
    kind: Literal["keyframe", "delta"]
    tick: TickNumber
    game_time_s: Seconds
    ack: bool = False
    rewind: bool | None = None
    """True = game time may be earlier than before; keyframes only."""
    npcs: Many[TickNpc] = ()
    players: Many[TickPlayer] = ()


class TickAck(ServerMessage):
    """The tick that asked for it went through the whole pipeline."""

    type: Literal["tick_ack"] = "tick_ack"
    tick: TickNumber
    game_time_s: float


class Join(Request):
    """Gives an observer a player of its own in the world; answered by ``joined``."""

    roles: ClassVar[frozenset[Role]] = OBSERVER_ONLY
    type: Literal["join"] = "join"
    name: Name
    position: Vec3


class Joined(Reliable):
    """The player an observer has from now on, until its session ends or the game leaves."""

    type: Literal["joined"] = "joined"
    id: RequestId
    player: PlayerId
    max_speed_mps: float
    """The world's ``player_max_speed_mps``: estimates count on nobody being faster."""


class MovePlayer(ClientMessage):
    """Places the player an observer has joined with. Not answered."""

    roles: ClassVar[frozenset[Role]] = OBSERVER_ONLY
    type: Literal["move_player"] = "move_player"
    position: Vec3
    velocity: Vec3 = (0.0, 0.0, 0.0)


class WorldClosed(Reliable):
    """The game left for good; the world's NPCs are gone. Sent to mods and observers."""

    type: Literal["world_closed"] = "world_closed"
