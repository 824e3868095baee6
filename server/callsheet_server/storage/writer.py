"""The threads that write: each takes a world that waits, and commits what it has together."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

from callsheet_server.storage.errors import StorageError, UnreadableWorldError, WorldFileGoneError
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.saved import SavedWorld
from callsheet_server.storage.writes import Write

__all__ = ["Job", "Writer", "load_or_replace", "open_or_replace"]

logger = logging.getLogger(__name__)

MAX_BATCH = 512
"""Changes in one transaction at most."""
THREADS = 4
"""Worlds that are written at a time: one whose file is slow to make holds up no other."""
ABANDON_S = 1.0
"""Wait, past the deadline of ``stop``, for the transactions that are under way."""
COMMIT_SAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class _Rest:
    """A world is left alone from here on."""

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
    """Commits the jobs of each world in the order they came, and worlds in turn.

    One fsync covers all jobs of a world that waited for the one before. A world is in the hands of
    one thread at a time, so its files are too.
    """

    def __init__(
        self,
        folder: Folder,
        max_world_bytes: int,
        quarantined: Counter[str],
        call_soon: Callable[..., object],
    ) -> None:
        """Start the threads.

        Args:
            folder: claimed.
            max_world_bytes: as large as a world's file may get; 0 = as the disk allows.
            quarantined: counts damaged rows, by table.
            call_soon: calls a function with arguments in the event loop's thread.
        """
        self._folder = folder
        self._max_world_bytes = max_world_bytes
        self._quarantined = quarantined
        self._lock = threading.Condition()
        """Guards the queues and who is at work on them, and the counters."""
        self._queues: dict[str, deque[Job | _Rest]] = {}
        """Jobs by world; the world that has waited longest comes first."""
        self._at_work: set[str] = set()
        self._stopping = False
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
        self._threads = [
            threading.Thread(target=self._run, name=f"callsheet-writer-{number}", daemon=True)
            for number in range(THREADS)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, job: Job) -> None:
        """Queue a job; never blocks for long."""
        self._put(job.world, job)

    def close_world(self, world: str, epoch: int) -> None:
        """Close a world's file and forget its failures: no more jobs of ``epoch`` will come."""
        self._put(world, _Rest(epoch))

    def stop(self, timeout_s: float) -> None:
        """Write what is queued for so long, then drop what is left and end. Blocks."""
        deadline_s = time.monotonic() + timeout_s
        with self._lock:
            self._stopping = True
            self._lock.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        with self._lock:
            left = [job for jobs in self._queues.values() for job in jobs]
            dropped = sum(isinstance(job, Job) and bool(job.writes) for job in left)
            self._queues.clear()
            self._lock.notify_all()
        if dropped:
            logger.error("%d changes were not written before the server had to stop", dropped)
        for thread in self._threads:
            thread.join(ABANDON_S)
        for world in self._files.keys() - self._at_work:
            self._close(world)

    def _put(self, world: str, job: Job | _Rest) -> None:
        with self._lock:
            self._queues.setdefault(world, deque()).append(job)
            self._lock.notify()

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            world, batch = taken
            jobs = [job for job in batch if isinstance(job, Job)]
            self._commit(world, jobs)
            for rest in batch[len(jobs) :]:
                assert isinstance(rest, _Rest)
                self._close(world)
                if self._failed_epochs.get(world, rest.epoch) < rest.epoch:
                    del self._failed_epochs[world]
            with self._lock:
                self._at_work.remove(world)
                self._lock.notify_all()

    def _take(self) -> tuple[str, list[Job | _Rest]] | None:
        """Wait for a world with work and take it: jobs, and a rest after them; None = the end."""
        with self._lock:
            while True:
                world = next((w for w in self._queues if w not in self._at_work), None)
                if world is not None:
                    break
                if self._stopping and not self._queues:
                    return None
                self._lock.wait()
            queue = self._queues.pop(world)
            jobs = takewhile(lambda job: isinstance(job, Job), queue)
            batch = list(islice(jobs, MAX_BATCH))
            if len(batch) < min(len(queue), MAX_BATCH):
                batch.append(queue[len(batch)])
            for _ in batch:
                queue.popleft()
            if queue:
                self._queues[world] = queue
            self._at_work.add(world)
            return world, batch

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
            with self._lock:
                self.failures += 1
            self._failed_epochs[world] = jobs[-1].epoch
            if not isinstance(error, WorldFileGoneError):  # A new one would lack the rest.
                self._close(world)
            self._tell(jobs[-1].failed, jobs[-1].epoch, error)
            return
        with self._lock:
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
            with self._lock:
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
        OSError: the file may not be opened.
    """
    try:
        return WorldFile(folder.file(world), world, max_bytes, quarantined)
    except UnreadableWorldError as error:
        _set_aside(folder, world, error)
        return WorldFile(folder.file(world), world, max_bytes, quarantined)


def load_or_replace(
    folder: Folder, world: str, quarantined: Counter[str] | None = None
) -> SavedWorld | None:
    """Read a world; None if it was set aside. Raises as above."""
    file = open_or_replace(folder, world, quarantined=quarantined)
    try:
        return file.load()
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
