"""Messages by which NPCs are spoken to, answer and act."""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from callsheet.wire.base import Checked, ClientMessage, Part, Reliable, Request, ServerPart
from callsheet.wire.errors import Code
from callsheet.wire.fields import (
    ActionName,
    Count,
    JsonObject,
    Many,
    Name,
    NpcId,
    PlayerId,
    RequestId,
    Role,
    Serial,
    Speech,
    TierName,
    Whole,
)
from callsheet.wire.world import GAME_ONLY, Permissions, Radius

__all__ = [
    "Action",
    "ActionResult",
    "Cancel",
    "FinishReason",
    "Hear",
    "Priority",
    "ReplyDelta",
    "ReplyEnd",
    "ReplyStart",
    "SamplingSpec",
    "Say",
    "Speak",
    "Speaker",
    "SpeakerView",
]

Priority = Literal["player", "npc", "background"]
"""Priority among waiting requests: player first, background last."""
FinishReason = Literal["stop", "length", "cancelled", "error"]
"""Reason a reply ended: complete, at its longest, cancelled, or failed."""

SPEAKERS: frozenset[Role] = frozenset({"game", "mod"})
ASKERS: frozenset[Role] = SPEAKERS | {"observer"}
"""An observer asks as the player it has joined with."""


class SpeakerView(ServerPart):
    """The speaker of a line that an NPC heard, as the server tells it."""

    kind: Literal["player", "npc", "narrator"]
    id: PlayerId | None = None
    """Player or NPC id; None for a narrator."""
    name: Name | None = None
    """Shown to the NPC; None = the name known for the id."""


class Speaker(SpeakerView, metaclass=Checked):
    """The speaker of a line to an NPC, as a client tells it."""

    model_config: ClassVar[ConfigDict] = Part.model_config


class SamplingSpec(Part):
    """Sampling of the reply's tokens; fields left out follow the server's settings."""

    temperature: Annotated[float, Field(ge=0, le=4)] | None = None
    """0 = greedy."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1_000_000), Whole] | None = None
    repetition_penalty: Annotated[float, Field(ge=0.5, le=2)] | None = None
    seed: Count | None = None


class Say(Request):
    """Says something to an NPC, who answers: ``reply_start``, ``reply_delta``..., ``reply_end``."""

    roles: ClassVar[frozenset[Role]] = ASKERS
    type: Literal["say"] = "say"
    npc: NpcId | None = None
    """The one who is spoken to; or else ``npcs``."""
    speaker: Speaker
    text: Speech
    priority: Priority | None = None
    """None = after the speaker's kind (a narrator's is background)."""
    max_tokens: Annotated[int, Field(ge=1, le=4096), Whole] | None = None
    sampling: SamplingSpec | None = None
    stop: Annotated[
        Many[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=8)
    ] = ()
    actions: Permissions | None = None
    """The actions it may choose from after this reply; None = all that are not gated.

    From the game only.
    """
    audible_m: Radius | None = None
    """NPCs within this distance of who speaks overhear the line, and the reply; None = nobody.

    The nearest 32 remember it.
    """
    npcs: Annotated[Many[NpcId], Field(min_length=1, max_length=8)] | None = None
    """Those who answer in turn, each having heard the ones before; in place of ``npc``."""


class Hear(Request):
    """Has NPCs remember a line without an answer: thunder, a herald, a talk they stand by.

    Answered by ``ok``.
    """

    roles: ClassVar[frozenset[Role]] = GAME_ONLY
    type: Literal["hear"] = "hear"
    npcs: Annotated[Many[NpcId], Field(min_length=1, max_length=32)]
    speaker: Speaker
    text: Speech


class Speak(Request):
    """Makes an NPC say a given line, without the model; answered like ``say``."""

    roles: ClassVar[frozenset[Role]] = SPEAKERS
    type: Literal["speak"] = "speak"
    npc: NpcId
    text: Speech
    audible_m: Radius | None = None
    """NPCs within this distance overhear it, the nearest 32; None = nobody."""


class Cancel(ClientMessage):
    """Stops the reply to the ``say`` with this id; its ``reply_end`` says "cancelled".

    If no such reply is open, nothing happens.
    """

    roles: ClassVar[frozenset[Role]] = ASKERS
    type: Literal["cancel"] = "cancel"
    id: RequestId


class ReplyStart(Reliable):
    """An NPC begins to answer. Sent to who asked, the game, and those subscribed to replies."""

    type: Literal["reply_start"] = "reply_start"
    id: RequestId | None = None
    """The request, in the session that sent it; None elsewhere."""
    reply: Serial
    """Names the reply in this world."""
    npc: NpcId
    speaker: SpeakerView
    heard: str
    """The line that the NPC answers; empty for ``speak``."""


class ReplyDelta(Reliable):
    """More of the text. Deltas of a reply arrive in order; joined they are its text."""

    type: Literal["reply_delta"] = "reply_delta"
    id: RequestId | None = None
    reply: Serial
    text: str
    ends_sentence: bool | None = None
    """True = all text so far is whole sentences, fit for a text-to-speech."""
    stage_direction: str | None = None
    """Something the NPC does while it speaks; ``text`` is empty then."""
    npc: NpcId | None = None
    """The NPC that speaks; None = the server is older than 1.3."""


class ReplyEnd(Reliable):
    """The reply is complete. Every ``reply_start`` is followed by exactly one."""

    type: Literal["reply_end"] = "reply_end"
    id: RequestId | None = None
    reply: Serial
    npc: NpcId
    text: str
    """The whole text."""
    finish_reason: FinishReason
    code: Code | None = None
    """The error code, if finish_reason is "error"."""
    message: str | None = None
    """The same in words."""
    prompt_tokens: Count = 0
    cached_tokens: Count = 0
    """Prompt tokens that did not have to be computed."""
    generated_tokens: Count = 0
    tier: TierName | None = None
    """Tier of the NPC's prefix when the request came in."""
    ttft_s: float | None = None
    """Time to first token, from the request's arrival."""
    total_s: float | None = None
    more: bool | None = None
    """True = another NPC answers the same request after this one."""


class Action(Reliable):
    """An NPC wants to act. The arguments are valid under the schema its script registered."""

    type: Literal["action"] = "action"
    id: RequestId | None = None
    reply: Serial
    action: Serial
    """Names the action in this world."""
    npc: NpcId
    name: ActionName
    arguments: JsonObject


class ActionResult(ClientMessage):
    """Tells what became of an action; the NPC remembers it, and its script's mod is told."""

    roles: ClassVar[frozenset[Role]] = frozenset({"game"})
    type: Literal["action_result"] = "action_result"
    action: Serial
    ok: bool
    message: Annotated[str, Field(max_length=1000)] = ""
