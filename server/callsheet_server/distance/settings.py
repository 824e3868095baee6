"""Settings of the invocation-distance estimators."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["DistanceSettings"]


class DistanceSettings(BaseModel):
    """How the five estimators read a snapshot. All times are game time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turn_fraction: float = Field(
        default=0.25,
        gt=0.0,
        le=1.0,
        description="Share of the maximum speeds at which someone who is not heading for an NPC is "
        "taken to come nearer anyway. 1 = the strict lower bound on the time of arrival.",
    )
    follow_up_s: float = Field(
        default=10.0,
        ge=0.0,
        le=600.0,
        description="Seconds after a call during which the talk may go on: no cooldown yet.",
    )
    talk_cooldown_s: float = Field(
        default=15.0,
        ge=0.0,
        le=86_400.0,
        description="Seconds after a call before a player near by is expected to talk again.",
    )
    encounter_cooldown_s: float = Field(
        default=60.0,
        ge=0.0,
        le=86_400.0,
        description="Seconds after a call before an NPC is expected to talk to another NPC.",
    )
    turn_gap_s: float = Field(
        default=3.0,
        ge=0.0,
        le=600.0,
        description="Seconds from the end of one line of a talk between NPCs to the next.",
    )
    encounter_wait_s: float = Field(
        default=5.0,
        ge=0.0,
        le=3600.0,
        description="Seconds two fully sociable NPCs stand together before they talk.",
    )
    encounter_period_s: float = Field(
        default=1.0,
        ge=0.0,
        le=60.0,
        description="Seconds between two runs of the encounter estimator; 0 = every tick.",
    )
    schedule_grace_s: float = Field(
        default=10.0,
        ge=0.0,
        le=3600.0,
        description="Seconds for which an announced call that did not come still counts as due.",
    )
