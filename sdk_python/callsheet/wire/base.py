"""What all messages have in common."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from callsheet.wire.fields import RequestId, Role

__all__ = ["ClientMessage", "Part", "Reliable", "Request", "ServerMessage", "ServerPart"]


class Part(BaseModel):
    """An object inside a message."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class ClientMessage(BaseModel):
    """A message a client sends. Fields the server does not know are an error."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)
    roles: ClassVar[frozenset[Role]] = frozenset({"game", "mod", "observer"})
    """The roles that may send it."""


class Request(ClientMessage):
    """A client message that is answered by a message with the same ``id``, or by an ``error``."""

    id: RequestId
    """Chosen by the client; greater than every id it used before in this session."""


class ServerMessage(BaseModel):
    """A message the server sends. Clients ignore fields and types they do not know."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


class Reliable(ServerMessage):
    """A server message that is kept until it is acked and replayed when a session resumes."""

    seq: int | None = Field(default=None, ge=1)
    """Numbers the reliable messages of a session from 1 without gaps. None before ``welcome``."""


class ServerPart(BaseModel):
    """An object inside a server message."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)
