"""Errors that keep the listener from starting."""

__all__ = ["SettingFileError"]


class SettingFileError(Exception):
    """A file that a setting names cannot be used; the text names the setting and the fix."""
