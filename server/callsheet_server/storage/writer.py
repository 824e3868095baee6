"""The one thread that writes: takes whatever waits, and commits it together."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from queue import Empty, SimpleQueue
from typing import Any

from callsheet_server.storage.errors import StorageError, UnreadableWorldError
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.saved import SavedWorld
from callsheet_server.storage.writes import Write

__all__ = ["Job", "Writer", "load_or_replace", "open_or_replace"]

logger = logging.getLogger(__name__)

MAX_BATCH = 512
"""Changes in one transaction at most."""
COMMIT_SAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class _Rest:
    """A world is left alone from here on."""

    world: str
    epoch: int
    """The last one its jobs were of."""


@dataclass(frozen=True, slots=True)
class Job:
    """A change as the writer sees it."""

    world: str
    epoch: int
    """Greater than that of every job submitted before the world's last failure was known."""
    writes: Sequence[Write]
    read: Callable[[WorldFile], Any] | None
    committed: Callable[[Sequence[Any]], None]
    """Called on the event loop with what each has read: this and all before it are durable."""
    failed: Callable[[int, Exception], None]
    """Called on the event loop with the epoch: this and all after it are not durable."""


class Writer:
    """Commits jobs in the order they came. One fsync covers all that waited for the one before."""

    def __init__(
        self,
        folder: Folder,
        max_world_bytes: int,
        quarantined: Counter[str],
        call_soon: Callable[..., object],
    ) -> None:
        """Start the thread.

        Args:
            folder: claimed.
            max_world_bytes: as large as a world's file may get; 0 = as the disk allows.
            quarantined: counts damaged rows, by table.
            call_soon: calls a function with arguments in the event loop's thread.
        """
        self._folder = folder
        self._max_world_bytes = max_world_bytes
        self._quarantined = quarantined
        self._queue: SimpleQueue[Job | _Rest | None] = SimpleQueue()
        self._files: dict[str, WorldFile] = {}
        self._failed_epochs: dict[str, int] = {}
        self._call_soon = call_soon
        self.commit_s: deque[float] = deque(maxlen=COMMIT_SAMPLES)
        """Durations of the latest commits."""
        self.commits = 0
        self.changes = 0
        """Changes in those commits."""
        self.failures = 0
        """Commits that failed, and files that could not be closed."""
        self.told_failures = 0
        """Exceptions in those who were told; counted on the event loop."""
        self._thread = threading.Thread(target=self._run, name="callsheet-writer", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Queue a job; never blocks."""
        self._queue.put(job)

    def close_world(self, world: str, epoch: int) -> None:
        """Close a world's file and forget its failures: no more jobs of ``epoch`` will come."""
        self._queue.put(_Rest(world, epoch))

    def stop(self) -> None:
        """Write what is queued, then end. Blocks."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        running = True
        while running:
            batch = [self._queue.get()]
            while len(batch) < MAX_BATCH:
                try:
                    batch.append(self._queue.get_nowait())
                except Empty:
                    break
            running = None not in batch
            # Worlds are independent of each other: only the order within each matters.
            jobs = sorted((j for j in batch if isinstance(j, Job)), key=attrgetter("world"))
            for world, group in groupby(jobs, attrgetter("world")):
                self._commit(world, list(group))
            for rest in batch:
                if isinstance(rest, _Rest):
                    self._close(rest.world)
                    if self._failed_epochs.get(rest.world, rest.epoch) < rest.epoch:
                        del self._failed_epochs[rest.world]
        for world in list(self._files):
            self._close(world)

    def _commit(self, world: str, jobs: list[Job]) -> None:
        # What was submitted before the failure was known is lost with what failed.
        jobs = [job for job in jobs if job.epoch > self._failed_epochs.get(world, -1)]
        if not jobs:
            return
        started_s = time.perf_counter()
        try:
            file = self._open(world)
            results = file.apply((job.writes, job.read) for job in jobs)
        except Exception as error:
            known = isinstance(error, sqlite3.Error | StorageError | OSError)
            logger.error(
                "world %s: %d changes could not be kept: %s",
                world,
                len(jobs),
                error,
                exc_info=not known,
            )
            self.failures += 1
            self._failed_epochs[world] = jobs[-1].epoch
            self._close(world)
            self._tell(jobs[-1].failed, jobs[-1].epoch, error)
            return
        self.commit_s.append(time.perf_counter() - started_s)
        self.commits += 1
        self.changes += len(jobs)
        self._tell(jobs[-1].committed, results)

    def _open(self, world: str) -> WorldFile:
        file = self._files.get(world)
        if file is None:
            file = open_or_replace(self._folder, world, self._max_world_bytes, self._quarantined)
            self._files[world] = file
        return file

    def _close(self, world: str) -> None:
        file = self._files.pop(world, None)
        if file is None:
            return
        try:
            file.close()
        except Exception:
            self.failures += 1
            logger.exception("world %s: its file could not be closed", world)

    def _tell(self, method: Callable[..., None], *arguments: Any) -> None:
        try:
            self._call_soon(method, *arguments)
        except RuntimeError as error:
            logger.error("nobody was told what became of changes: %s", error)


def open_or_replace(
    folder: Folder, world: str, max_bytes: int = 0, quarantined: Counter[str] | None = None
) -> WorldFile:
    """Open a world's database. One that cannot be read is set aside, and an empty one begun.

    Raises:
        NewerWorldError: a later version wrote it; it is left alone.
        sqlite3.Error: the disk is full or fails.
    """
    try:
        return WorldFile(folder.file(world), world, max_bytes, quarantined)
    except UnreadableWorldError as error:
        _set_aside(folder, world, error)
        return WorldFile(folder.file(world), world, max_bytes, quarantined)


def load_or_replace(
    folder: Folder, world: str, max_turns: int, quarantined: Counter[str] | None = None
) -> SavedWorld | None:
    """Read a world; None if it was set aside. Raises as above."""
    file = open_or_replace(folder, world, quarantined=quarantined)
    try:
        return file.load(max_turns)
    except UnreadableWorldError as error:
        file.close()
        _set_aside(folder, world, error)
        return None
    finally:
        file.close()


def _set_aside(folder: Folder, world: str, error: UnreadableWorldError) -> None:
    aside = folder.set_aside(world)
    logger.error(
        "%s; it was set aside as %s and an empty world begun. If there is a backup, stop the "
        "server and run: callsheet world restore %s BACKUP --force",
        error,
        aside,
        world,
    )
