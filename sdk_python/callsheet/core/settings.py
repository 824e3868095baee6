"""Client settings: timeouts and limits."""

from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from callsheet.wire.base import Checked

__all__ = ["ClientSettings"]


class ClientSettings(BaseModel, metaclass=Checked):
    """Settings of one client session."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    connect_timeout_s: float = Field(
        default=10.0, gt=0, le=3600, description="How long the first connection may take, retries"
    )
    open_timeout_s: float = Field(
        default=10.0, gt=0, le=300, description="How long one attempt may take, up to welcome"
    )
    close_timeout_s: float = Field(
        default=2.0, gt=0, le=60, description="How long to wait for the server's close after bye"
    )
    ca_file: Path | None = Field(
        default=None,
        description="PEM file of who vouches for a wss server; None = whom the system trusts",
    )
    max_offline_s: float | None = Field(
        default=None, gt=0, description="Give up reconnecting after so long; None = never"
    )
    backoff_min_s: float = Field(
        default=0.1, gt=0, le=60, description="Upper bound of the first reconnect delay"
    )
    backoff_max_s: float = Field(
        default=5.0, gt=0, le=600, description="Upper bound of every reconnect delay"
    )
    max_queued_messages: int = Field(
        default=1024, ge=1, le=1_000_000, description="Unsent messages before sends have to wait"
    )
    max_queued_events: int = Field(
        default=10_000, ge=1, le=10_000_000, description="Unread events before an iterator fails"
    )
    request_timeout_s: float = Field(
        default=150.0,
        gt=0,
        le=3600,
        description="How long the blocking client waits for an answer, or a reply's next piece",
    )
