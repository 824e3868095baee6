"""Where the server listens, who may connect, and how much one client may ask of it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal

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
    observers_may_act: bool = Field(
        default=True,
        description="Observers may join a world as a player and choose the residency policy. Only "
        "if the server listens on the loopback interface or asks observers for a token.",
    )
    hello_timeout_s: float = Field(
        default=5.0, gt=0, le=300, description="How long a new connection has to say hello."
    )
    heartbeat_interval_s: float = Field(
        default=5.0,
        gt=0,
        le=300,
        description="How often clients ping; silence of three intervals ends a connection.",
    )
    resume_grace_s: float = Field(
        default=60.0, ge=0, le=86_400, description="How long a lost session can be resumed."
    )
    drain_timeout_s: float = Field(
        default=5.0, ge=0, le=300, description="At shutdown: how long replies may still run."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="The least that is logged; info = sessions and moves too."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="json = one object a line, for log collectors."
    )

    @property
    def trusts_observers(self) -> bool:
        """True if an observer may do more than look on."""
        local = self.host == "localhost" or _is_loopback(self.host)
        return self.observers_may_act and (local or self.observer_token is not None)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class LimitSettings(BaseModel):
    """What one client may ask for. Past a limit it gets the error the wire protocol names."""

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
        ge=65_536,
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
    max_guests_per_world: int = Field(
        default=8, ge=0, le=10_000, description="Players of observers in one world."
    )
    max_open_requests: int = Field(
        default=256, ge=1, le=100_000, description="Replies one session may wait for at a time."
    )
    max_scripts_per_session: int = Field(
        default=64, ge=1, le=10_000, description="Scripts one mod may have registered."
    )
    max_mod_turns_per_npc_per_min: float = Field(
        default=30.0,
        gt=0,
        le=1e6,
        description="Turns (say, speak) that mods may ask of one NPC, on average; as many at once.",
    )
    max_changes_per_min: float = Field(
        default=120.0,
        gt=0,
        le=1e6,
        description="Messages a session may send that concern every NPC of a world "
        "(register_script, unregister_script, configure_world, set_policy), on average; half at "
        "once.",
    )
    max_messages_per_s: float = Field(
        default=500.0, gt=0, le=1e6, description="Control messages a session may send, on average."
    )
    max_ticks_per_s: float = Field(
        default=240.0, gt=0, le=1e6, description="Ticks a session may send, on average."
    )
