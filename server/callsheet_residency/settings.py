"""Settings of the planner, of the server and of the SGLang plugin; pydantic is all they need."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["HORIZON_S", "HorizonS", "PolicySettings"]

HORIZON_S = 30.0
HorizonS = Annotated[
    float,
    Field(
        ge=0.0,
        le=3600.0,
        description="State is brought to the device once its distance is below this; 0 = never.",
    ),
]


class PolicySettings(BaseModel):
    """Thresholds of state moves.

    Distances are seconds of game time, rates are per second of real time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefetch_horizon_s: HorizonS = HORIZON_S
    hysteresis_s: float = Field(
        default=1.5,
        ge=0.0,
        le=3600.0,
        description="What is evicted to make room must be farther than what comes by more than "
        "this: no ping-pong. Distances are on a scale on which 1.5 s is 1.8 times as likely.",
    )
    least_gain: float = Field(
        default=0.005,
        ge=0.0,
        le=1.0,
        description="Chance of a call that a swap must gain, or it is not worth its bytes.",
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
