"""Errors of worlds on disk. The texts are for the person who runs the server.

StorageError
├── NewerWorldError      a later Callsheet wrote it
├── UnreadableWorldError it is no database, or a broken one
└── FolderInUseError     another process has the folder
"""

__all__ = ["FolderInUseError", "NewerWorldError", "StorageError", "UnreadableWorldError"]


class StorageError(Exception):
    """Base of the errors here. Its text says in one sentence what is wrong and what to do."""


class NewerWorldError(StorageError):
    """The database has a schema this version does not know; it is left alone."""


class UnreadableWorldError(StorageError):
    """The file is no database of ours, or is damaged beyond its rows."""


class FolderInUseError(StorageError):
    """Another server, or a command, has the folder open."""
