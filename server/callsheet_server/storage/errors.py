"""Errors of worlds on disk. The texts are for the person who runs the server.

StorageError
├── NewerWorldError      a later Callsheet wrote it
├── UnreadableWorldError it is no database, or a broken one
├── WorldFileGoneError   somebody deleted or replaced it while it was open
└── FolderInUseError     another process has the folder
"""

__all__ = [
    "FolderInUseError",
    "NewerWorldError",
    "StorageError",
    "UnreadableWorldError",
    "WorldFileGoneError",
]


class StorageError(Exception):
    """Base of the errors here. Its text says in one sentence what is wrong and what to do."""


class NewerWorldError(StorageError):
    """The database has a schema this version does not know; it is left alone."""


class UnreadableWorldError(StorageError):
    """The file is no database of ours, or is damaged beyond its rows."""


class WorldFileGoneError(StorageError):
    """The database is not where it was opened; what is written to it is lost."""


class FolderInUseError(StorageError):
    """Another server, or a command, has the folder open."""
