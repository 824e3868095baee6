"""JSON values as other people's tools write them: null for a list, numbers in quotes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["as_flag", "as_list", "as_number", "as_texts", "as_words", "first_of"]


def as_list(value: object) -> list[Any]:
    """Read a list; null is an empty one, anything else a list of one."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def as_flag(value: object) -> bool:
    """Read true or false, also as a word or a number."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "on", "1")
    return bool(value)


def as_texts(value: object) -> list[str]:
    """Read the texts of a list, or one text; what is no text, or blank, is left out."""
    return [text for text in as_list(value) if isinstance(text, str) and text.strip()]


def as_words(value: object) -> tuple[str, ...]:
    """Read a list of words, which may also be one text with commas in it."""
    if isinstance(value, str):
        value = value.split(",")
    return tuple(word.strip() for word in as_texts(value))


def as_number(value: object) -> float | None:
    """Read a finite number, also one in quotes; None = it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def first_of(fields: Mapping[str, Any], *names: str) -> Any:
    """Return the first of these fields that is there and not null."""
    return next((fields[name] for name in names if fields.get(name) is not None), None)
