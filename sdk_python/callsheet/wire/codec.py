"""Text frames <-> messages.

``AnyClientMessage`` and ``AnyServerMessage`` list every message of callsheet.v1; a type that is not
in them does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from callsheet.wire import adapters, observe, saves, script, session, talk, world
from callsheet.wire.base import ClientMessage, ServerMessage
from callsheet.wire.validation import error_from_validation

__all__ = [
    "CLIENT_MESSAGES",
    "SERVER_MESSAGES",
    "AnyClientMessage",
    "AnyServerMessage",
    "encode",
    "parse_client_message",
    "parse_server_message",
]

AnyClientMessage = (
    session.Hello
    | session.Ping
    | session.Ack
    | session.Bye
    | world.ConfigureWorld
    | world.Spawn
    | world.UpdateNpc
    | world.Despawn
    | world.HintCalls
    | world.JsonTick
    | world.Join
    | world.MovePlayer
    | saves.Forget
    | saves.Save
    | saves.Load
    | saves.DeleteSave
    | saves.ListSaves
    | talk.Say
    | talk.Hear
    | talk.Speak
    | talk.Cancel
    | talk.ActionResult
    | script.RegisterScript
    | script.UnregisterScript
    | script.HearAnswer
    | script.ActionVerdict
    | script.SetFacts
    | script.GetFacts
    | observe.Subscribe
    | observe.Explain
    | observe.SetPolicy
    | observe.DrainReplica
    | adapters.SetAdapter
    | adapters.RemoveAdapter
    | adapters.ListAdapters
)

AnyServerMessage = (
    session.Welcome
    | session.Pong
    | session.Ok
    | session.Error
    | session.Draining
    | session.EngineProgress
    | world.Spawned
    | world.TickAck
    | world.WorldClosed
    | world.Joined
    | saves.Saved
    | saves.Loaded
    | saves.Saves
    | talk.ReplyStart
    | talk.ReplyDelta
    | talk.ReplyEnd
    | talk.Action
    | script.ScriptRegistered
    | script.NpcSpawned
    | script.Heard
    | script.ActionChosen
    | script.PlayerNear
    | script.PlayerLeft
    | script.NpcTick
    | script.ActionDone
    | script.Facts
    | observe.Explanation
    | observe.Moves
    | observe.NpcStates
    | observe.Stats
    | adapters.Adapters
)

CLIENT_MESSAGES: Final[Mapping[str, type[ClientMessage]]] = {
    m.model_fields["type"].default: m for m in AnyClientMessage.__args__
}
"""Every message a client may send, by its type."""
SERVER_MESSAGES: Final[Mapping[str, type[ServerMessage]]] = {
    m.model_fields["type"].default: m for m in AnyServerMessage.__args__
}
"""Every message a server may send, by its type."""

_CLIENT: TypeAdapter[AnyClientMessage] = TypeAdapter(
    Annotated[AnyClientMessage, Field(discriminator="type")]
)
_SERVER: TypeAdapter[AnyServerMessage] = TypeAdapter(
    Annotated[AnyServerMessage, Field(discriminator="type")]
)


def parse_client_message(text: str | bytes) -> AnyClientMessage:
    """Read what a client sent.

    Raises:
        ProtocolError: ``bad_json``, ``unknown_type`` or ``bad_message``; the last names the field,
            the value and, where there is one, the limit and the request.
    """
    try:
        return _CLIENT.validate_json(text)
    except ValidationError as error:
        raise error_from_validation(error, text, CLIENT_MESSAGES) from None


def parse_server_message(text: str | bytes) -> AnyServerMessage:
    """Read what a server sent. Raises as ``parse_client_message`` does."""
    try:
        return _SERVER.validate_json(text)
    except ValidationError as error:
        raise error_from_validation(error, text, SERVER_MESSAGES) from None


def encode(message: ClientMessage | ServerMessage, **numbers: int) -> bytes:
    """Canonical JSON: ``type``, then the fields in declared order without the absent.

    ``numbers``: ``seq`` and ``id``, if the message has none yet; a copy that has them costs more.
    """
    return orjson.dumps({"type": None, **numbers} | message.model_dump(exclude_none=True))
