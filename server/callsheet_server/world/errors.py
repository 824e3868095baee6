"""Errors with which the world refuses, of the wire's tree, built in one place."""

from collections.abc import Container, Iterable

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for

__all__ = [
    "bad_value",
    "duplicate",
    "limit_exceeded",
    "refuse_duplicates",
    "refuse_unknown",
    "unknown",
]


def unknown(kind: str, name: str, field: str) -> CallsheetError:
    """``kind`` is "npc" or "player"."""
    code = ErrorCode.UNKNOWN_NPC if kind == "npc" else ErrorCode.UNKNOWN_PLAYER
    return error_for(
        code, f"no {kind} {name!r} in this world; spawn it first", field=field, value=f'"{name}"'
    )


def duplicate(kind: str, name: str, field: str) -> CallsheetError:
    """``kind`` is "npc" or "player"."""
    code = ErrorCode.DUPLICATE_NPC if kind == "npc" else ErrorCode.DUPLICATE_PLAYER
    return error_for(
        code,
        f"{kind} {name!r} is in this world already; despawn it first or use another id",
        field=field,
        value=f'"{name}"',
    )


def limit_exceeded(what: str, field: str, value: int, limit: int) -> CallsheetError:
    """``value`` is what was asked for."""
    return error_for(
        ErrorCode.LIMIT_EXCEEDED,
        f"{value} {what}: the limit is {limit}",
        field=field,
        value=str(value),
        limit=limit,
    )


def bad_value(message: str, field: str, value: str) -> CallsheetError:
    """A value (as JSON text) that is well formed but makes no sense here."""
    return error_for(ErrorCode.BAD_VALUE, message, field=field, value=value)


def refuse_duplicates(kind: str, names: Iterable[str], taken: Container[str]) -> None:
    """Make sure that none of these is taken, nor named twice. Raises ``duplicate``."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in taken or name in seen:
            raise duplicate(kind, name, f"{kind}s.{index}.{kind}")
        seen.add(name)


def refuse_unknown(kind: str, names: Iterable[str], known: Container[str]) -> None:
    """Make sure that all of these are known, each named once. Raises ``unknown``."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name not in known or name in seen:
            raise unknown(kind, name, f"{kind}s.{index}")
        seen.add(name)
