"""Errors of reading casts."""

__all__ = ["CastError", "NotACharacterError"]


class CastError(ValueError):
    """A cast cannot be read or written; the text says why and names the fix."""


class NotACharacterError(CastError):
    """A file, or an entry of one, is skipped; the text says why."""
