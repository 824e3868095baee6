"""Switch and settings of the plugin, read once from the environment of SGLang's processes."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from callsheet_residency.settings import PolicySettings

__all__ = [
    "RADIX_CACHE_BACKEND",
    "SETTINGS_VARIABLE",
    "SWITCH",
    "PluginSettings",
    "read_settings",
]

SWITCH = "CALLSHEET_SGLANG"
"""The environment variable that turns the plugin on; anything but "1" leaves SGLang as it is."""

SETTINGS_VARIABLE = "CALLSHEET_SGLANG_SETTINGS"
"""The environment variable that holds the settings, as a JSON object; absent = defaults."""

RADIX_CACHE_BACKEND = "callsheet"
"""The plugin's prefix cache, as ``--radix-cache-backend`` knows it."""


class PluginSettings(BaseModel):
    """The plugin's behaviour inside SGLang. Time is the sender's, as it arrives with distances."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: PolicySettings = Field(
        default=PolicySettings(prefetch_horizon_s=10.0, hysteresis_s=1.0, least_gain=0.02),
        description="When state moves: the planner's settings. Horizon and margin are upper "
        "bounds here, and the link is measured.",
    )
    prefetch: bool = Field(
        default=True, description="Bring KV caches to the device before their NPCs call."
    )
    demote: bool = Field(
        default=True,
        description="Park KV caches in host memory as soon as the device is fuller than its "
        "headroom allows, not when a request is waiting for the room.",
    )
    hold: bool = Field(
        default=True,
        description="A request whose KV cache is on its way to the device waits in the queue while "
        "others run, instead of holding up the batch.",
    )
    adapters: Literal["distance", "lru"] = Field(
        default="distance",
        description="How LoRA adapters come to their slots and leave them: distance = before they "
        "are needed if prefetch is on, farthest out first; lru = as SGLang does, only counted.",
    )
    prefetch_link_ms: float = Field(
        default=20.0,
        gt=0.0,
        le=10_000.0,
        description="Prefetches are sent while what is on the link takes less than this: the "
        "longest that a load somebody waits for can be behind them.",
    )
    reserved_output_tokens: int = Field(
        default=256,
        ge=0,
        description="Room kept free per running or queued request for what it will still generate, "
        "at most: a request that may generate less reserves less.",
    )


def read_settings() -> PluginSettings:
    """Read the environment. Raises ``ValueError`` naming the variable, the field and its value."""
    text = os.environ.get(SETTINGS_VARIABLE)
    if not text:
        return PluginSettings()
    try:
        return PluginSettings.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(f"environment variable {SETTINGS_VARIABLE}: {error}") from None
