"""Settings of the residency policy. The SGLang plugin reads them too: pydantic is all they need."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["PolicySettings"]


class PolicySettings(BaseModel):
    """Thresholds of state moves.

    Distances are seconds of game time, rates are per second of real time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Literal["distance", "lru", "naive"] = Field(
        default="distance",
        description="How state is kept at hand: distance = ours; to compare: naive = park the "
        "least recently used, load on demand; lru = drop it, rebuild on demand.",
    )
    prefetch_horizon_s: float = Field(
        default=10.0,
        ge=0.0,
        le=3600.0,
        description="State is brought to the device once its distance is below this; 0 = never.",
    )
    hysteresis_s: float = Field(
        default=1.0,
        ge=0.0,
        le=3600.0,
        description="What is evicted to make room must be farther than what comes by more than "
        "this: no ping-pong.",
    )
    device_headroom: float = Field(
        default=0.02,
        ge=0.0,
        le=0.9,
        description="Share of the device budget kept free for state that grows and for callers "
        "nobody expected.",
    )
    link_share: float = Field(
        default=0.8,
        gt=0.0,
        le=1.0,
        description="Share of the measured bandwidth, and of the device's time for rebuilding, "
        "that planned moves may use.",
    )
    assumed_device_link_bytes_per_s: float = Field(
        default=4e9, gt=0.0, description="Host-device bandwidth until it has been measured."
    )
