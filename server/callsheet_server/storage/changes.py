"""One change of a world on its way to the disk, and how it is told what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from callsheet.wire.errors import CallsheetError
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.writes import Write

__all__ = ["Change", "Journal", "NoJournal"]


@dataclass(slots=True, eq=False)
class Change:
    """Change made in memory that is to become durable, all of it or nothing.

    Changes of a world become durable in the order they were submitted. When one fails, so do all
    that were submitted after it, and they are undone, the last one first: memory then holds
    what the disk holds.
    """

    writes: Sequence[Write] = ()
    must: Sequence[Write] = ()
    """Those that stay due when the change fails: they are carried out with the next one."""
    read: Callable[[WorldFile], Any] | None = None
    """Function that looks something up right after the writes, on the writer's thread."""
    done: Callable[[Any], None] = lambda _: None
    """Called with what ``read`` returned when all is durable; on the event loop, in order."""
    undo: Callable[[], Iterator[None] | None] = lambda: None
    """Called when the change has failed, to put memory back; in steps if that takes long."""
    failed: Callable[[CallsheetError], None] = lambda _: None
    """Called when the change has failed and all that had to be undone has been."""


class Journal(Protocol):
    """Journal that takes the changes of one world."""

    keeps: bool
    """False: nothing outlives the server."""

    def submit(self, change: Change) -> None:
        """Make a change durable. Returns at once."""

    def carry(self, writes: Sequence[Write]) -> None:
        """Have writes carried out with the next change."""


class NoJournal:
    """Keeps nothing: every change is done at once."""

    keeps = False

    def submit(self, change: Change) -> None:
        change.done(None)

    def carry(self, writes: Sequence[Write]) -> None:
        """Drop the writes: nothing is kept."""
