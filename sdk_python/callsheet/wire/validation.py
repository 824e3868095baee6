"""Turns what pydantic says about a bad message into one Callsheet error with the fix."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from callsheet.wire.base import Request
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.fields import MAX_INTEGER

__all__ = ["error_from_validation"]

_SHOWN_VALUE_CHARS: Final = 80
_MAX_FAULTS: Final = 200
"""A message with more faults is refused as a whole; looking at each would take too long."""
_LIMIT_KEYS: Final = ("max_length", "min_length", "le", "ge", "lt", "gt")
_SECRETS: Final = frozenset({"token", "resume"})
"""Fields whose value is never shown."""


def error_from_validation(
    error: ValidationError, text: str | bytes, messages: Mapping[str, type[BaseModel]]
) -> CallsheetError:
    """The first thing that is wrong with a message.

    Args:
        error: what reading the message raised.
        text: the message.
        messages: the messages that could have stood there, by type.

    Returns:
        A ProtocolError: ``bad_json``, ``unknown_type`` or ``bad_message``.
    """
    if error.error_count() > _MAX_FAULTS:
        advice = f"more than {_MAX_FAULTS} fields of this message are wrong or not defined"
        return error_for(ErrorCode.BAD_MESSAGE, advice, limit=float(_MAX_FAULTS))
    details = error.errors(include_url=False)
    first = details[0]
    kind, context = first["type"], first.get("ctx", {})
    if kind == "json_invalid":
        return error_for(ErrorCode.BAD_JSON, f"not valid JSON: {context['error']}")
    if not first["loc"]:
        return _without_type(first, messages)
    # The first element of a location is the discriminator's tag: the message type.
    name, *path = [_cut(str(part)) for part in first["loc"]]
    field = ".".join(path)
    hidden = kind == "missing" or not _SECRETS.isdisjoint(path)
    return error_for(
        ErrorCode.BAD_MESSAGE,
        f"{name}.{field}: {_advice(details, messages[name])}",
        field=field,
        value=None if hidden else _shown(first["input"]),
        limit=next((float(context[key]) for key in _LIMIT_KEYS if key in context), None),
        request_id=_readable_id(text) if issubclass(messages[name], Request) else None,
    )


def _readable_id(request: str | bytes) -> int | None:
    """The id of a request that is valid JSON but not a valid request."""
    given = from_json(request).get("id")
    return given if type(given) is int and 1 <= given <= MAX_INTEGER else None


def _without_type(first: ErrorDetails, messages: Mapping[str, type[BaseModel]]) -> CallsheetError:
    """What is wrong with a message of which not even the type is known."""
    given = first["input"]
    if not isinstance(given, dict):
        text = "every message is a JSON object with a string field 'type'"
        return error_for(ErrorCode.BAD_MESSAGE, text, value=_shown(given))
    if "type" not in given:
        text = "every message has a string field 'type'"
        return error_for(ErrorCode.BAD_MESSAGE, text, field="type")
    tag = given["type"]
    if not isinstance(tag, str):
        text = "the field 'type' must be a string"
        return error_for(ErrorCode.BAD_MESSAGE, text, field="type", value=_shown(tag))
    text = f"there is no message type {_shown(tag)} here{_did_you_mean(tag, messages)}"
    return error_for(ErrorCode.UNKNOWN_TYPE, text, field="type", value=_shown(tag))


def _advice(details: list[ErrorDetails], message: type[BaseModel]) -> str:
    """What is wrong with the first of the fields, and how to put it right."""
    first = details[0]
    *parents, name = first["loc"][1:]
    known = _model_at(message, parents).model_fields
    if first["type"] == "extra_forbidden":
        advice = _did_you_mean(str(name), known) or f"; known fields: {', '.join(known)}"
        return f"there is no such field{advice}"
    if first["type"] == "missing":
        required = ", ".join(n for n, field in known.items() if field.is_required())
        given = [
            str(other["loc"][-1])
            for other in details
            if other["type"] == "extra_forbidden" and other["loc"][:-1] == first["loc"][:-1]
        ]
        advice = f"required, like all of: {required}"
        close = _closest(str(name), given)
        return f"{advice} (found '{close}' instead)" if close else advice
    return first["msg"]


def _model_at(message: type[BaseModel], path: list[int | str]) -> type[BaseModel]:
    """The model of the object at a location inside a message."""
    for part in path:
        if isinstance(part, str):
            message = _model_in(message.model_fields[part].annotation) or message
    return message


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _closest(name: str, known: list[str]) -> str | None:
    by_lower = {k.lower(): k for k in known}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def _did_you_mean(name: str, known: Mapping[str, Any]) -> str:
    close = _closest(name[:_SHOWN_VALUE_CHARS], list(known))
    return f"; did you mean '{close}'?" if close else ""


def _shown(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_VALUE_CHARS else text[: _SHOWN_VALUE_CHARS - 3] + "..."
