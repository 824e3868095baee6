"""Messages between the server and the mods that script its NPCs."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from callsheet.wire.base import ClientMessage, Reliable, Request, ServerMessage
from callsheet.wire.fields import (
    ActionName,
    ArchetypeId,
    JsonObject,
    Many,
    NpcId,
    Persona,
    PlayerId,
    RequestId,
    Role,
    ScriptId,
    Serial,
    Speech,
)
from callsheet.wire.talk import SpeakerView
from callsheet.wire.world import ActionSpecs, Permissions, Radius, Schedule, Share

__all__ = [
    "ActionChosen",
    "ActionDone",
    "ActionVerdict",
    "Facts",
    "GetFacts",
    "HearAnswer",
    "Heard",
    "NpcSpawned",
    "NpcTick",
    "PlayerLeft",
    "PlayerNear",
    "RegisterScript",
    "ScriptRegistered",
    "SetFacts",
    "UnregisterScript",
]

MOD_ONLY: frozenset[Role] = frozenset({"mod"})
SCRIPTERS: frozenset[Role] = frozenset({"game", "mod"})


class RegisterScript(Request):
    """Binds a script to NPCs by id or archetype, now and when they spawn later.

    The same name again replaces the script (hot reload). Answered by ``script_registered``.
    If several scripts match an NPC, the one registered last speaks for it.
    """

    roles: ClassVar[frozenset[Role]] = MOD_ONLY
    type: Literal["register_script"] = "register_script"
    script: ScriptId
    npcs: Annotated[Many[NpcId], Field(max_length=10_000)] = ()
    archetypes: Annotated[Many[ArchetypeId], Field(max_length=100)] = ()
    persona: Persona | None = None
    """Replaces the persona the game gave; None keeps it."""
    interaction_radius_m: Radius | None = None
    sociability: Share | None = None
    schedule: Schedule | None = None
    actions: ActionSpecs = ()
    """Actions besides those that the game gave its NPCs; one of the same name replaces that."""
    events: Annotated[
        Many[Literal["hear", "near", "tick"]],
        Field(max_length=3),
    ] = ()
    """Events the mod wants to be told of; all scripts are told of spawns and action results."""
    tick_interval_s: Annotated[float, Field(ge=0.1, le=3600)] = 1.0
    """Game time between two ``npc_tick`` of an NPC."""
    game_actions: Permissions | None = None
    """The actions of the game that its NPCs keep; None = all of them."""
    judges_actions: bool | None = None
    """True = the mod is asked (``action_chosen``) before an NPC of the script acts."""


class ScriptRegistered(Reliable):
    """The script is in place."""

    type: Literal["script_registered"] = "script_registered"
    id: RequestId
    script: ScriptId
    npcs: Many[NpcId]
    """NPCs alive now that the script speaks for; at most the first 900."""
    note: str | None = None
    """A note to the script's author, in one line."""


class UnregisterScript(Request):
    """Takes a script away; its NPCs get back what the game gave them. Answered by ``ok``."""

    roles: ClassVar[frozenset[Role]] = MOD_ONLY
    type: Literal["unregister_script"] = "unregister_script"
    script: ScriptId


class SetFacts(Request):
    """Notes facts about an NPC, kept with its memory; answered by ``ok``. All or none."""

    roles: ClassVar[frozenset[Role]] = SCRIPTERS
    type: Literal["set_facts"] = "set_facts"
    npc: NpcId
    facts: JsonObject
    """Facts by name; ``null`` takes one away. Names are at most 64 characters."""


class GetFacts(Request):
    """Asks for the facts noted about an NPC; answered by ``facts``."""

    roles: ClassVar[frozenset[Role]] = SCRIPTERS
    type: Literal["get_facts"] = "get_facts"
    npc: NpcId


class Facts(Reliable):
    """The facts noted about an NPC."""

    type: Literal["facts"] = "facts"
    id: RequestId
    npc: NpcId
    facts: JsonObject


class NpcSpawned(Reliable):
    """An NPC of the script appeared (or left, if ``alive`` is false)."""

    type: Literal["npc_spawned"] = "npc_spawned"
    script: ScriptId
    npc: NpcId
    alive: bool = True


class Heard(Reliable):
    """Somebody speaks to an NPC of the script; answer with ``hear_answer`` before the deadline.

    Without an answer in time the NPC replies as if the script had said nothing.
    """

    type: Literal["heard"] = "heard"
    script: ScriptId
    call: Serial
    npc: NpcId
    speaker: SpeakerView
    text: str
    deadline_s: float
    """Seconds the server waits."""
    actions: Many[ActionName] | None = None
    """The actions that the NPC is offered after this reply if the script does not say."""


class HearAnswer(ClientMessage):
    """A script's answer to what its NPC heard."""

    roles: ClassVar[frozenset[Role]] = MOD_ONLY
    type: Literal["hear_answer"] = "hear_answer"
    call: Serial
    material: Annotated[str, Field(max_length=4_000)] | None = None
    """Facts for this reply only, put before what was said."""
    reply: Speech | None = None
    """Says exactly this; the model is not asked."""
    ignore: bool = False
    """The NPC does not answer: the reply ends at once, empty."""
    actions: Annotated[Many[ActionName], Field(max_length=64)] | None = None
    """The actions it may choose from after this reply; None = all that are not gated."""


class ActionChosen(Reliable):
    """An NPC of the script is about to act; answer with ``action_verdict`` before the deadline.

    Without an answer in time it does not.
    """

    type: Literal["action_chosen"] = "action_chosen"
    script: ScriptId
    call: Serial
    npc: NpcId
    name: ActionName
    arguments: JsonObject
    deadline_s: float
    """Seconds the server waits."""


class ActionVerdict(ClientMessage):
    """A script's verdict on an action that its NPC is about to take."""

    roles: ClassVar[frozenset[Role]] = MOD_ONLY
    type: Literal["action_verdict"] = "action_verdict"
    call: Serial
    ok: bool
    """False = the NPC does not act; the game is told nothing."""


class PlayerNear(Reliable):
    """A player came within the interaction radius of an NPC of the script."""

    type: Literal["player_near"] = "player_near"
    script: ScriptId
    npc: NpcId
    player: PlayerId
    distance_m: float


class PlayerLeft(Reliable):
    """The player went out of reach again (1.25 times the radius) or is gone."""

    type: Literal["player_left"] = "player_left"
    script: ScriptId
    npc: NpcId
    player: PlayerId


class NpcTick(ServerMessage):
    """Game time went on for an NPC of the script. May be skipped for a slow mod."""

    type: Literal["npc_tick"] = "npc_tick"
    script: ScriptId
    npc: NpcId
    game_time_s: float
    distance_s: float | None = None
    """Invocation distance; None = no expectation."""


class ActionDone(Reliable):
    """Outcome of an action of one of the script's NPCs."""

    type: Literal["action_done"] = "action_done"
    script: ScriptId
    npc: NpcId
    action: Serial
    name: ActionName
    ok: bool
    message: str = ""
