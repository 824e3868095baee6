"""Faults of a message in Callsheet's own words, from what pydantic found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for

__all__ = ["Fault", "cut", "did_you_mean", "first_fault", "refusal", "shown"]

_SHOWN_CHARS: Final = 80
_LIMIT_KEYS: Final = ("max_length", "min_length", "le", "ge", "lt", "gt")
_JSON: Final = json.JSONEncoder(ensure_ascii=False, default=repr, skipkeys=True)
_SECRETS: Final = frozenset({"token", "resume"})
"""Fields whose value is never shown."""
_WORDS: Final[Mapping[str, str]] = {
    "bool_type": "must be true or false",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "string_too_long": "must have at most {max_length} characters",
    "string_type": "must be text",
    "string_unicode": "must be valid text; it holds half a character (a lone surrogate)",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
}
_FORMS: Final[Mapping[str, str]] = {
    r"^[A-Za-z0-9_.:\-]+$": "must be made of letters, digits and _ . : -",
    r"^[A-Za-z0-9_.:\-]*$": "must be made of letters, digits and _ . : -",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "must be made of letters, digits and _, no digit first",
    r"^\d{1,5}\.\d{1,5}$": "must be a version such as 1.2",
}
"""The patterns of ``fields`` in words."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong with a message."""

    field: str
    """Dotted path."""
    advice: str
    value: str | None
    """As JSON, shortened; None = it is not there, or may be a secret."""
    limit: float | None


def refusal(error: ValidationError, model: type[BaseModel]) -> CallsheetError:
    """Return the error to raise where such an object is built with a wrong value."""
    fault = first_fault(error.errors(include_url=False), model)
    name = model.model_fields["type"].default if "type" in model.model_fields else model.__name__
    return error_for(
        ErrorCode.BAD_MESSAGE,
        f"{name}.{fault.field}: {fault.advice}",
        field=fault.field,
        value=fault.value,
        limit=fault.limit,
    )


def first_fault(details: list[ErrorDetails], model: type[BaseModel]) -> Fault:
    """The first of the faults that pydantic found in an object of this model."""
    first = details[0]
    path = [cut(str(part)) for part in first["loc"]]
    hidden = first["type"] == "missing" or not _SECRETS.isdisjoint(path)
    if first["type"] == "extra_forbidden":  # It may be a misspelt token.
        hidden = hidden or not _SECRETS.isdisjoint(model.model_fields)
    context = first.get("ctx", {})
    return Fault(
        field=".".join(path),
        advice=_advice(details, model),
        value=None if hidden else shown(first["input"]),
        limit=next((float(context[key]) for key in _LIMIT_KEYS if key in context), None),
    )


def _advice(details: list[ErrorDetails], model: type[BaseModel]) -> str:
    """Say what is wrong with the first of the fields, and how to put it right."""
    first = details[0]
    *parents, name = first["loc"]
    known = _model_at(model, parents).model_fields
    match first["type"]:
        case "extra_forbidden":
            advice = did_you_mean(str(name), known) or f"; known fields: {', '.join(known)}"
            return f"there is no such field{advice}"
        case "missing" if isinstance(name, int):
            return "is missing: write x, y and z"
        case "missing":
            return _missing(str(name), known, details)
        case _:
            return _in_words(first)


def _missing(name: str, known: Mapping[str, Any], details: list[ErrorDetails]) -> str:
    required = ", ".join(n for n, field in known.items() if field.is_required())
    given = [
        str(other["loc"][-1])
        for other in details
        if other["type"] == "extra_forbidden" and other["loc"][:-1] == details[0]["loc"][:-1]
    ]
    close = _closest(name, given)
    found = f" (found '{close}' instead)" if close else ""
    return f"required, like all of: {required}{found}"


def _in_words(fault: ErrorDetails) -> str:
    kind, given, context = fault["type"], fault["input"], fault.get("ctx", {})
    if kind == "string_too_short" and context["min_length"] == 1:
        return "must not be empty"
    if kind == "string_pattern_mismatch":
        return _FORMS.get(context["pattern"], fault["msg"])
    if kind == "tuple_type":
        return "must be a tuple, not a list" if isinstance(given, list) else "must be a list"
    if kind not in _WORDS:
        return fault["msg"]
    words = _WORDS[kind].format(**context)
    if kind.endswith("_type"):
        return f"{words}, not {type(given).__name__}"
    if kind in ("string_too_long", "too_long", "too_short"):
        return f"{words}; this has {context.get('actual_length') or len(given)}"
    return words


def _model_at(model: type[BaseModel], path: list[int | str]) -> type[BaseModel]:
    """The model of the object at a location inside a message."""
    for part in path:
        if isinstance(part, str):
            model = _model_in(model.model_fields[part].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _closest(name: str, known: Iterable[str]) -> str | None:
    by_lower = {k.lower(): k for k in known}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint at the name that was perhaps meant, or nothing."""
    close = _closest(name[:_SHOWN_CHARS], known)
    return f"; did you mean '{close}'?" if close else ""


def shown(value: Any) -> str:
    """A value as JSON, shortened; whatever it holds can be printed. Reads no more than it shows."""
    if isinstance(value, str):
        value = value[: _SHOWN_CHARS + 1]
    text = ""
    for piece in _JSON.iterencode(value):
        text += piece[: _SHOWN_CHARS + 1]
        if len(text) > _SHOWN_CHARS:
            break
    return cut(text.encode("utf-8", "backslashreplace").decode())


def cut(text: str) -> str:
    """Text shortened to one line's worth."""
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."
