"""Text frames <-> messages.

``AnyClientMessage`` and ``AnyServerMessage`` list every message of callsheet.v1; a type that is not
in them does not exist.
"""

from __future__ import annotations

from typing import Annotated, Final

import orjson
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from callsheet.wire import observe, script, session, talk, world
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for

__all__ = [
    "CLIENT_MESSAGES",
    "SERVER_MESSAGES",
    "AnyClientMessage",
    "AnyServerMessage",
    "encode",
    "parse_client_message",
    "parse_server_message",
    "request_id_of",
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
    | talk.Say
    | talk.Speak
    | talk.Cancel
    | talk.ActionResult
    | script.RegisterScript
    | script.UnregisterScript
    | script.HearAnswer
    | observe.Subscribe
    | observe.Explain
)

AnyServerMessage = (
    session.Welcome
    | session.Pong
    | session.Ok
    | session.Error
    | session.Draining
    | world.Spawned
    | world.TickAck
    | world.WorldClosed
    | talk.ReplyStart
    | talk.ReplyDelta
    | talk.ReplyEnd
    | talk.Action
    | script.ScriptRegistered
    | script.NpcSpawned
    | script.Heard
    | script.PlayerNear
    | script.PlayerLeft
    | script.NpcTick
    | script.ActionDone
    | observe.Explanation
    | observe.Moves
    | observe.NpcStates
    | observe.Stats
)

CLIENT_MESSAGES: Final = {m.model_fields["type"].default: m for m in AnyClientMessage.__args__}
SERVER_MESSAGES: Final = {m.model_fields["type"].default: m for m in AnyServerMessage.__args__}

_CLIENT: TypeAdapter[AnyClientMessage] = TypeAdapter(
    Annotated[AnyClientMessage, Field(discriminator="type")]
)
_SERVER: TypeAdapter[AnyServerMessage] = TypeAdapter(
    Annotated[AnyServerMessage, Field(discriminator="type")]
)

_SHOWN_VALUE_CHARS = 80
_LIMIT_KEYS = ("max_length", "min_length", "le", "ge", "lt", "gt")


def parse_client_message(text: str | bytes) -> AnyClientMessage:
    """Read what a client sent.

    Raises:
        ProtocolError: ``bad_json``, ``unknown_type`` or ``bad_message``; the last names the field,
            the value and, where there is one, the limit.
    """
    try:
        return _CLIENT.validate_json(text)
    except ValidationError as error:
        raise _explain(error) from None


def parse_server_message(text: str | bytes) -> AnyServerMessage:
    """Read what a server sent. Raises as ``parse_client_message`` does."""
    try:
        return _SERVER.validate_json(text)
    except ValidationError as error:
        raise _explain(error) from None


def request_id_of(text: str | bytes) -> int | None:
    """The ``id`` of a message that may be invalid otherwise, so that its error can name it."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    found = value.get("id") if isinstance(value, dict) else None
    return found if type(found) is int and 1 <= found < 2**53 else None


def encode(message: BaseModel) -> bytes:
    """A message as canonical JSON: ``type``, then the fields in declared order without the absent."""
    return orjson.dumps({"type": None} | message.model_dump(exclude_none=True))


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN_VALUE_CHARS else text[: _SHOWN_VALUE_CHARS - 3] + "..."


def _explain(error: ValidationError) -> CallsheetError:
    """The first thing that is wrong, as one of ours."""
    first = error.errors(include_url=False)[0]
    kind, context = first["type"], first.get("ctx", {})
    if kind == "json_invalid":
        return error_for(ErrorCode.BAD_JSON, f"not valid JSON: {context.get('error', '')}")
    if kind == "union_tag_invalid":
        tag = _shorten(str(context.get("tag")))
        return error_for(
            ErrorCode.UNKNOWN_TYPE, f"there is no message type {tag!r}", field="type", value=tag
        )
    # The first element of a location is the discriminator's tag: the message type.
    where, *path = [str(part) for part in first["loc"]] or ["message"]
    field = ".".join(path) or "type"
    value = None if kind == "missing" or "token" in path else _shorten(repr(first["input"]))
    limit = next((float(context[key]) for key in _LIMIT_KEYS if key in context), None)
    if kind == "union_tag_not_found":
        field, message = "type", "every message is a JSON object with a string field 'type'"
    else:
        message = f"{where}.{field}: {first['msg']}"
    return error_for(ErrorCode.BAD_MESSAGE, message, field=field, value=value, limit=limit)
