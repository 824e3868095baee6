"""Where the server listens, who may connect, and how much one client may ask of it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["LimitSettings", "ServerSettings"]


class ServerSettings(BaseModel):
    """The listening socket and the life of a session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on. 0.0.0.0 lets other machines in: set the tokens then.",
    )
    port: int = Field(
        default=8765, ge=0, le=65535, description="TCP port to listen on; 0 = any free one."
    )
    game_token: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="What a game must present; none = anyone may be one.",
    )
    mod_token: SecretStr | None = Field(
        default=None, min_length=1, description="What a mod must present; none = anyone may be one."
    )
    observer_token: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="What an observer must present; none = anyone may be one.",
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(),
        description="Origins of the web pages that may connect, such as http://localhost:5173. "
        "Programs, which send no Origin, are always let in.",
    )
    handshake_timeout_s: float = Field(
        default=10.0, gt=0, le=300, description="How long a new connection has to say hello."
    )
    heartbeat_interval_s: float = Field(
        default=5.0, gt=0, le=300, description="Time between the heartbeats of a session."
    )
    heartbeat_timeout_s: float = Field(
        default=20.0, gt=0, le=3600, description="Silence after which a session counts as lost."
    )
    resume_grace_s: float = Field(
        default=30.0,
        ge=0,
        le=3600,
        description="How long a lost session can be resumed; 0 = never.",
    )
    drain_timeout_s: float = Field(
        default=5.0, ge=0, le=300, description="At shutdown: how long replies may still run."
    )


class LimitSettings(BaseModel):
    """What one client may ask for. Past a limit it gets the error the wire protocol names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_message_bytes: int = Field(
        default=65_536,
        ge=1024,
        le=16_777_216,
        description="Longest control message, JSON tick too.",
    )
    max_tick_bytes: int = Field(
        default=4_194_304, ge=1024, le=67_108_864, description="Longest binary tick."
    )
    max_outbox_bytes: int = Field(
        default=4_194_304,
        ge=65_536,
        le=1_073_741_824,
        description="What may wait for a slow client before it is dropped.",
    )
    max_sessions: int = Field(
        default=256, ge=1, le=100_000, description="Sessions open at the same time."
    )
    max_worlds: int = Field(default=16, ge=1, le=10_000, description="Worlds at the same time.")
    max_npcs_per_world: int = Field(
        default=100_000, ge=1, le=1_000_000, description="NPCs alive in one world."
    )
    max_npcs_per_spawn: int = Field(
        default=1_000, ge=1, le=100_000, description="NPCs in one spawn message."
    )
    max_players_per_tick: int = Field(
        default=256, ge=1, le=10_000, description="Players in one tick."
    )
    max_persona_bytes: int = Field(
        default=16_384, ge=1, le=1_048_576, description="Longest persona of an NPC, as UTF-8."
    )
    max_open_requests: int = Field(
        default=256, ge=1, le=100_000, description="Replies one session may wait for at a time."
    )
    max_messages_per_s: float = Field(
        default=500.0, gt=0, le=1e6, description="Control messages a session may send, on average."
    )
    max_ticks_per_s: float = Field(
        default=120.0, gt=0, le=10_000, description="Ticks a session may send, on average."
    )
