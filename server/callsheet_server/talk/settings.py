"""Settings of NPCs' replies, for requests that do not say otherwise."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from callsheet.wire.fields import MAX_SPEECH_CHARS
from callsheet_server.talk.speech.directions import StageDirections

__all__ = ["ReplySettings"]


class ReplySettings(BaseModel):
    """Defaults of replies, and how long others may hold them up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    style: str = Field(
        default="You are {{char}}, talking with somebody in front of you. Say one or two short "
        "sentences, in their language, and nothing else.",
        max_length=2_000,
        description="How NPCs are to answer: ends every persona, with the NPC's name for {{char}}; "
        "empty = nothing is asked.",
    )
    max_tokens: int = Field(default=64, ge=1, le=4096, description="Longest reply, in tokens.")
    temperature: float | None = Field(
        default=None,
        ge=0,
        le=4,
        description="0 = always the likeliest word; left out, like the next three = as suits the "
        "model.",
    )
    top_p: float | None = Field(
        default=None, gt=0, le=1, description="Nucleus sampling: share kept."
    )
    repetition_penalty: float | None = Field(
        default=None,
        ge=0.5,
        le=2,
        description="Above 1 = repeats itself, and the NPC's last replies, less.",
    )
    stage_directions: StageDirections = Field(
        default="strip",
        description='"*wipes a tankard*": keep = left in the text; strip = cut; apart = told as '
        "stage_direction of reply_delta.",
    )
    max_heard_chars: int = Field(
        default=MAX_SPEECH_CHARS,
        ge=1,
        le=MAX_SPEECH_CHARS,
        description="Longest text a player may say to an NPC, in characters.",
    )
    hear_timeout_s: float = Field(
        default=0.25,
        ge=0.01,
        le=10,
        description="How long a mod may think about what its NPC hears.",
    )
    memory_tokens: int = Field(
        default=1_536,
        ge=64,
        le=1_000_000,
        description="An NPC's latest turns that its prompts hold word for word, in tokens as "
        "estimated; at most half the engine's context. When they are more, the oldest go until "
        "half is left.",
    )
    recall_tokens: int = Field(
        default=256,
        ge=0,
        le=1_000_000,
        description="Older turns that a prompt quotes because they fit what was heard, in tokens "
        "as estimated; 0 = none.",
    )
    actions: Literal["measured", "always"] = Field(
        default="measured",
        description="measured = a model measured to choose actions badly is asked only where "
        "the NPC's script allows them for the reply; always = any model is.",
    )
