"""Base classes of all messages.

Messages are frozen, and hashable unless they hold a JSON object. From a client everything is judged
strictly: no field that is not defined, no ``"1"`` for 1, no ``true`` for 1. From a server, fields
that are not defined are ignored, so that a later minor version can add some.
"""

from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from callsheet.wire.faults import refusal
from callsheet.wire.fields import RequestId, Role, Serial

__all__ = ["Checked", "ClientMessage", "Part", "Reliable", "Request", "ServerMessage", "ServerPart"]

_STRICT = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)
_TOLERANT = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


@dataclass_transform(kw_only_default=True, field_specifiers=(Field,))
class Checked(ModelMetaclass):
    """The class of objects that users build: a wrong value raises a ProtocolError, not pydantic's.

    A list does for a tuple. Frames do not come this way; ``codec`` judges them.
    """

    if not TYPE_CHECKING:  # type checkers go by the fields

        def __call__(cls, *args: Any, **fields: Any) -> Any:  # noqa: N805
            given = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
            try:
                return super().__call__(*args, **given)
            except ValidationError as error:
                raise refusal(error, cls) from None


class Part(BaseModel, metaclass=Checked):
    """An object inside a client message."""

    model_config = _STRICT


class ClientMessage(BaseModel, metaclass=Checked):
    """A message a client sends."""

    model_config = _STRICT
    roles: ClassVar[frozenset[Role]] = frozenset({"game", "mod", "observer"})
    """The roles that may send it."""


class Request(ClientMessage):
    """A client message that is answered by a message with the same ``id``, or by an ``error``."""

    id: RequestId
    """Chosen by the client; greater than every id it used before in this session."""


class ServerPart(BaseModel):
    """An object inside a server message."""

    model_config = _TOLERANT


class ServerMessage(BaseModel):
    """A message the server sends."""

    model_config = _TOLERANT


class Reliable(ServerMessage):
    """A server message that is kept until it is acked and replayed when a session resumes."""

    seq: Serial | None = None
    """Numbers the reliable messages of a session from 1 without gaps. None before ``welcome``."""
