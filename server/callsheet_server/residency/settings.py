"""Settings of residency."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from callsheet_residency.settings import HORIZON_S, HorizonS, PolicySettings

__all__ = ["ResidencySettings"]


class ResidencySettings(BaseModel):
    """Settings of the policy that moves state, and of how far it looks ahead."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Literal["distance", "lru", "naive"] = Field(
        default="distance",
        description="How state is kept at hand: distance = ours; to compare: naive = park the "
        "least recently used, load on demand; lru = drop it, rebuild on demand.",
    )
    prefetch_horizon_s: HorizonS = HORIZON_S

    def planning(self) -> PolicySettings:
        """The planner's settings; what is not named here has one good value."""
        return PolicySettings(prefetch_horizon_s=self.prefetch_horizon_s)
