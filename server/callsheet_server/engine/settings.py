"""Settings of the engine layer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from callsheet_server.engine.embedded.settings import EmbeddedSettings

__all__ = ["EngineSettings", "ScriptedSettings"]

_MIB = 1 << 20


class ScriptedSettings(BaseModel):
    """How the scripted engine behaves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_delay_s: float = Field(
        default=0.02, ge=0, le=60, description="Seconds from word to word of a reply."
    )
    cold_delay_s: float = Field(
        default=0.2, ge=0, le=60, description="Seconds more if the prefix was not on the device."
    )
    context_limit_tokens: int = Field(
        default=2048, ge=64, le=1 << 20, description="Longest prompt plus reply; a word is a token."
    )
    max_batch: int = Field(default=8, ge=1, le=4096, description="Replies streamed at once.")
    max_queue: int = Field(
        default=64, ge=1, le=100_000, description="Requests waiting beyond those running."
    )
    prefix_bytes: int = Field(default=_MIB, ge=1, description="Pretended size of every prefix.")
    device_budget_bytes: int = Field(default=64 * _MIB, ge=0, description="Pretended device.")
    host_budget_bytes: int = Field(default=256 * _MIB, ge=0, description="Pretended host memory.")
    disk_budget_bytes: int = Field(default=1024 * _MIB, ge=0, description="Pretended disk.")
    fail_npcs: frozenset[str] = Field(
        default=frozenset(), description="NPC ids whose requests fail after the first word."
    )


class EngineSettings(BaseModel):
    """Which engine runs, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["embedded", "scripted"] = Field(
        default="embedded", description="embedded = a real model; scripted = none, for tests."
    )
    embedded: EmbeddedSettings = Field(
        default_factory=EmbeddedSettings, description="Of the embedded engine."
    )
    scripted: ScriptedSettings = Field(
        default_factory=ScriptedSettings, description="Of the scripted engine."
    )
