"""Validation errors: what pydantic says of a bad frame as one Callsheet error with the fix."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from callsheet.wire.base import Request
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.faults import did_you_mean, first_fault, shown
from callsheet.wire.fields import MAX_INTEGER, whole

__all__ = ["error_from_validation"]

_MAX_FAULTS: Final = 200
"""A message with more faults is refused as a whole; looking at each would take too long."""


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
    name = str(first["loc"][0])
    inside: list[ErrorDetails] = [{**one, "loc": one["loc"][1:]} for one in details]
    fault = first_fault(inside, messages[name])
    return error_for(
        ErrorCode.BAD_MESSAGE,
        f"{name}.{fault.field}: {fault.advice}",
        field=fault.field,
        value=fault.value,
        limit=fault.limit,
        request_id=_readable_id(text) if issubclass(messages[name], Request) else None,
    )


def _readable_id(request: str | bytes) -> int | None:
    """The id of a request that is valid JSON but not a valid request."""
    given = whole(from_json(request).get("id"))
    return given if type(given) is int and 1 <= given <= MAX_INTEGER else None


def _without_type(first: ErrorDetails, messages: Mapping[str, type[BaseModel]]) -> CallsheetError:
    """Return the error for a message of which not even the type is known."""
    given = first["input"]
    if not isinstance(given, dict):
        text = "every message is a JSON object with a string field 'type'"
        return error_for(ErrorCode.BAD_MESSAGE, text, value=shown(given))
    if "type" not in given:
        text = "every message has a string field 'type'"
        return error_for(ErrorCode.BAD_MESSAGE, text, field="type")
    tag = given["type"]
    if not isinstance(tag, str):
        text = "the field 'type' must be a string"
        return error_for(ErrorCode.BAD_MESSAGE, text, field="type", value=shown(tag))
    text = f"there is no message type {shown(tag)} here{did_you_mean(tag, messages)}"
    return error_for(ErrorCode.UNKNOWN_TYPE, text, field="type", value=shown(tag))
