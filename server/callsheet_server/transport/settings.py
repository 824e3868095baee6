"""Settings of the listening socket, of access, and of a session's life."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

__all__ = ["MIN_TOKEN_CHARS", "ServerSettings"]

MIN_TOKEN_CHARS: Final = 16
"""Length of tokens in a file and of all that are used beyond the loopback interface."""


class ServerSettings(BaseModel):
    """The listening socket and the life of a session."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on. 0.0.0.0 lets other machines in, if there are tokens.",
    )
    port: int = Field(
        default=8765, ge=0, le=65535, description="TCP port to listen on; 0 = any free one."
    )
    game_token: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="What a game must present. Where no game has one: on the "
        "loopback interface anyone may be one, elsewhere nobody.",
    )
    mod_token: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="What a mod must present. Where no mod has one: on the loopback interface "
        "anyone may be one, elsewhere nobody.",
    )
    observer_token: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="What an observer must present. Where no observer has one: on the "
        "loopback interface anyone may be one, elsewhere nobody.",
    )
    token_file: Path | None = Field(
        default=None,
        description="TOML file of more tokens, several a role, each for all worlds or for one. "
        "Read again when it changes: who presented a token that is gone is cut off.",
    )
    tls_certificate: Path | None = Field(
        default=None,
        description="PEM file of the certificate and its chain: serve wss and https only.",
    )
    tls_key: Path | None = Field(default=None, description="PEM file of the certificate's key.")
    allowed_origins: tuple[str, ...] = Field(
        default=(),
        description="Web pages that may connect, besides the server's own, such as "
        "https://html-classic.itch.zone; * = all.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(),
        description="Names by which a proxy on this machine may reach a server that listens on "
        "the loopback interface.",
    )
    observers_may_act: bool = Field(
        default=True,
        description="Observers may join a world as a player and choose the residency policy.",
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
    def on_loopback(self) -> bool:
        """True if only this machine can reach the server."""
        return self.host == "localhost" or _is_loopback(self.host)

    @model_validator(mode="after")
    def _check_access(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together: set both or neither")
        if self.on_loopback:
            return self
        tokens = [
            t for t in (self.game_token, self.mod_token, self.observer_token) if t is not None
        ]
        if not tokens and self.token_file is None:
            raise ValueError(
                f"host = {self.host} lets other machines in, so a token is needed: set "
                "server.token_file, or server.game_token (and mod_token, observer_token), in the "
                "environment CALLSHEET_SERVER__GAME_TOKEN; or listen on 127.0.0.1"
            )
        if any(len(token.get_secret_value()) < MIN_TOKEN_CHARS for token in tokens):
            raise ValueError(
                f"host = {self.host} lets other machines in, so every token needs at least "
                f"{MIN_TOKEN_CHARS} characters that nobody can guess"
            )
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
