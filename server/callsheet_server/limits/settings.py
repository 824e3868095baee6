"""Settings of limits and quotas: how much one client may ask for, and all of them together."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["LimitSettings", "QuotaSettings"]


class LimitSettings(BaseModel):
    """Limits of what one session may ask for, and of what the server holds at a time.

    Past a limit a client gets the error the wire protocol names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_message_bytes: int = Field(
        default=1_048_576,
        ge=1024,
        le=67_108_864,
        description="Longest text frame, JSON ticks too.",
    )
    max_tick_bytes: int = Field(
        default=4_194_304, ge=1024, le=67_108_864, description="Longest binary tick."
    )
    max_outbox_bytes: int = Field(
        default=8_388_608,
        ge=2_097_152,  # an ack is due every 32 messages, and most are under 64,000 bytes
        le=1_073_741_824,
        description="Reliable messages kept for a client that does not ack, in bytes.",
    )
    max_outbox_messages: int = Field(
        default=4_096,
        ge=64,
        le=1_000_000,
        description="Reliable messages kept for a client that does not ack.",
    )
    max_sessions: int = Field(
        default=1_024, ge=1, le=100_000, description="Sessions at the same time."
    )
    max_worlds: int = Field(default=64, ge=1, le=10_000, description="Worlds at the same time.")
    max_npcs_per_world: int = Field(
        default=50_000, ge=1, le=1_000_000, description="NPCs alive in one world."
    )
    max_npcs_per_spawn: int = Field(
        default=600, ge=1, le=100_000, description="NPCs in one spawn message."
    )
    max_players_per_world: int = Field(
        default=64, ge=1, le=10_000, description="Players in one world."
    )
    max_open_requests: int = Field(
        default=256, ge=1, le=100_000, description="Replies one session may wait for at a time."
    )
    max_mod_turns_per_npc_per_min: float = Field(
        default=30.0,
        gt=0,
        le=1e6,
        description="Turns (say, speak) that mods may ask of one NPC, on average; as many at once.",
    )
    max_messages_per_s: float = Field(
        default=500.0, gt=0, le=1e6, description="Control messages a session may send, on average."
    )
    max_ticks_per_s: float = Field(
        default=240.0, gt=0, le=1e6, description="Ticks a session may send, on average."
    )
    max_bytes_per_s: int = Field(
        default=67_108_864,
        ge=1024,
        le=10**12,
        description="Bytes a session may send, ticks included, on average.",
    )
    max_generated_tokens_per_min: int = Field(
        default=600_000,
        ge=1,
        le=10**9,
        description="Tokens the model may generate for a session, on average.",
    )


class QuotaSettings(BaseModel):
    """Quotas that all sessions of one access token, or of one world, share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_messages_per_s: float = Field(
        default=5_000.0, gt=0, le=1e7, description="Control messages, on average."
    )
    max_bytes_per_s: int = Field(
        default=134_217_728, ge=1024, le=10**12, description="Bytes received, on average."
    )
    max_open_requests: int = Field(
        default=1_024, ge=1, le=1_000_000, description="Replies waited for at a time."
    )
    max_generated_tokens_per_min: int = Field(
        default=1_200_000, ge=1, le=10**9, description="Tokens the model generates, on average."
    )
