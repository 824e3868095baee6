"""The event loop's side of the worlds on disk."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet_server.storage.changes import Change, Journal, NoJournal
from callsheet_server.storage.errors import UnreadableWorldError
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.reader import Reader
from callsheet_server.storage.saved import Save, SavedWorld
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.storage.writer import Job, Writer, load_or_replace
from callsheet_server.storage.writes import Write

__all__ = ["Disk", "Storage", "WorldJournal", "open_storage"]

logger = logging.getLogger(__name__)

RETRY_S = 1.0
"""Wait that clients are told of before they send again what could not be kept."""
FLUSH_S = 5.0
"""Time that what waits has to be written when a server ends."""
MAX_WAITING_CHANGES = 10_000
"""Changes of one world that may wait. A disk that keeps up has a few dozen."""


Run = Callable[[str, Iterator[None]], None]
"""Function that does work on a world, step by step, after what is under way there."""


def _at_once(_: str, work: Iterator[None]) -> None:
    for _step in work:
        pass


async def open_storage(
    settings: StorageSettings, run: Run = _at_once
) -> tuple[Storage, list[SavedWorld]]:
    """Claim the folder that the settings name, read it, and begin to write.

    ``run`` undoes changes that have failed.

    Returns:
        The storage, and the worlds whose games may come back.

    Raises:
        StorageError: the folder is in use, or a later version wrote a world.
    """
    quarantined: Counter[str] = Counter()
    if not settings.directory:
        return Storage(None, quarantined, {}, run), []
    folder = Folder(Path(settings.directory))
    saved = await asyncio.to_thread(_load, folder, quarantined)
    call_soon = asyncio.get_running_loop().call_soon_threadsafe
    writer = Writer(folder, settings.max_world_bytes, quarantined, call_soon)
    disk = Disk(folder, writer, Reader(folder))
    saves = {world.name: {save.name: save for save in world.saves} for world in saved}
    return Storage(disk, quarantined, saves, run), [world for world in saved if world.sessions]


def _load(folder: Folder, quarantined: Counter[str]) -> list[SavedWorld]:
    folder.claim()
    worlds = []
    try:
        for world in folder.worlds():
            try:
                saved = load_or_replace(folder, world, quarantined)
            except (sqlite3.Error, OSError, UnreadableWorldError) as error:
                logger.error(
                    "world %s: %s cannot be used: %s; the other worlds are, and this one saves "
                    "nothing until that is put right",
                    world,
                    folder.file(world),
                    error,
                )
                continue
            if saved is not None:
                worlds.append(saved)
    except BaseException:
        folder.release()
        raise
    return worlds


@dataclass(frozen=True, slots=True)
class Disk:
    """The folder of the worlds, and the threads that use it."""

    folder: Folder
    writer: Writer
    reader: Reader


class Storage:
    """All worlds' journals, and the disk behind them. Made by ``open_storage``."""

    def __init__(
        self,
        disk: Disk | None,
        quarantined: Counter[str],
        saves: dict[str, dict[str, Save]],
        run: Run,
    ) -> None:
        """Put it together.

        Args:
            disk: in use from now on; None = nothing is kept.
            quarantined: damaged rows found so far, by table; counted on by the writer.
            saves: those on the disk, by world.
            run: undoes changes that have failed.
        """
        self.disk = disk
        self.quarantined = quarantined
        self._saves = saves
        self._run = run
        self._journals: dict[str, WorldJournal] = {}
        self._epochs = itertools.count()
        self._closed = False

    @property
    def keeps(self) -> bool:
        """False: nothing outlives the server."""
        return self.disk is not None

    async def close(self, timeout_s: float = FLUSH_S) -> None:
        """Write what waits for so long, and let the folder go. May be called twice."""
        if self.disk is None or self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self.disk.writer.stop, timeout_s)
        await asyncio.sleep(0)  # What the writer told the loop last is told before this.
        await asyncio.to_thread(self.disk.reader.stop)
        await asyncio.to_thread(self.disk.folder.release)

    async def flush(self, timeout_s: float = FLUSH_S) -> None:
        """Wait until everything submitted so far is durable, or has failed; at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._flushed()

    async def _flushed(self) -> None:
        await asyncio.gather(*(journal.flush() for journal in self._journals.values()))

    def journal(self, world: str) -> Journal:
        """Return the journal that takes a world's changes."""
        if self.disk is None or self._closed:
            return NoJournal()
        journal = self._journals.get(world)
        if journal is None:
            journal = WorldJournal(world, self.disk.writer, self._epochs, self._ended, self._run)
            self._journals[world] = journal
        journal.wake()
        return journal

    def saves(self, world: str) -> dict[str, Save]:
        """Return a world's saves by name, the oldest first; who changes it submits the change."""
        return self._saves.setdefault(world, {})

    def rest(self, world: str) -> None:
        """Forget a world that nobody is in any more, once all is written."""
        if world in self._journals and not self._closed:
            self._journals[world].rest()

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        for world, journal in self._journals.items():
            journal.check_integrity()
            assert self.disk is not None, f"world {world} has a journal and nobody writes"

    def _ended(self, world: str, epoch: int) -> None:
        del self._journals[world]
        if not self._saves.get(world):
            self._saves.pop(world, None)
        if self.disk is not None and not self._closed:
            self.disk.writer.close_world(world, epoch)


class WorldJournal:
    """The changes of one world that are on their way."""

    keeps = True

    def __init__(
        self,
        world: str,
        writer: Writer,
        epochs: Iterator[int],
        ended: Callable[[str, int], None],
        run: Run,
    ) -> None:
        """Begin with nothing on its way.

        Args:
            world: whose changes they are.
            writer: writes them.
            epochs: ever greater numbers.
            ended: told the world and the last epoch, once nobody is in the world and all is
                written.
            run: undoes changes that have failed.
        """
        self._world = world
        self._writer = writer
        self._waiting: deque[Change] = deque()
        self._carried: dict[Write, None] = {}
        """Writes due with the next change, in order, each once; bounded: the oldest give way."""
        self._epochs = epochs
        self._epoch = next(epochs)
        self._resting = False
        self._ended = ended
        self._run = run
        self._undoing = 0
        """Failures of which not everything has been undone and told yet."""

    def submit(self, change: Change) -> None:
        """See ``Journal``."""
        if len(self._waiting) >= MAX_WAITING_CHANGES:
            self._undo([change], f"{len(self._waiting)} changes wait for the disk")
            return
        self._put(change)

    def carry(self, writes: Sequence[Write]) -> None:
        """See ``Journal``."""
        self._carried |= dict.fromkeys(writes)
        while len(self._carried) > MAX_WAITING_CHANGES:
            del self._carried[next(iter(self._carried))]

    async def flush(self) -> None:
        """Wait until everything submitted so far is durable, or has failed."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(_: object) -> None:
            if not ended.done():
                ended.set_result(None)

        self._put(Change(done=end, failed=end))
        await ended

    def rest(self) -> None:
        """End once all is written, what is carried too: nobody is in the world any more."""
        self._resting = True
        if self._carried:
            self._put(Change())
        else:  # Not at once: whoever makes room for a newcomer wakes it right after.
            asyncio.get_running_loop().call_soon(self._end_if_written)

    def wake(self) -> None:
        """Go on: somebody is in the world."""
        self._resting = False

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        kept = self._waiting or self._carried or self._undoing or not self._resting
        assert kept, f"world {self._world} is at rest, all is written, and its journal is kept"

    def _put(self, change: Change) -> None:
        change.must = (*self._carried, *change.must)
        self._carried = {}
        writes = (*change.must, *change.writes)
        if not (writes or change.read or self._waiting):
            with self._told():  # Nothing to keep: no file is made for it.
                change.done(None)
            return
        self._waiting.append(change)
        self._writer.put(
            Job(self._world, self._epoch, writes, change.read, self._committed, self._failed)
        )

    def _committed(self, results: Sequence[Any]) -> None:
        for result in results:
            with self._told():
                self._waiting.popleft().done(result)
        self._end_if_written()

    def _failed(self, epoch: int, error: Exception) -> None:
        """Fail all changes that wait: they were submitted on top of the one that failed."""
        assert epoch == self._epoch, "a failure was told twice"
        self._epoch = next(self._epochs)
        failed, self._waiting = self._waiting, deque()
        self._undo(failed, str(error))

    def _undo(self, failed: Sequence[Change], why: str) -> None:
        self._undoing += 1
        self._run(self._world, self._undone(failed, _refusal(why)))

    def _undone(self, failed: Sequence[Change], refusal: CallsheetError) -> Iterator[None]:
        """Undo changes, the last one first; then tell of them all."""
        for change in reversed(failed):
            with self._told():
                yield from change.undo() or ()
            yield
        for change in failed:
            self.carry(change.must)
            with self._told():
                change.failed(refusal)
            yield
        self._undoing -= 1
        if self._resting and self._carried and len(failed) > 1:
            self._put(Change())  # What is carried need not be what could not be written.
        self._end_if_written()

    def _end_if_written(self) -> None:
        if self._resting and not (self._waiting or self._carried or self._undoing):
            self._resting = False
            self._ended(self._world, self._epoch)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Around a call of what a change names; an exception in there concerns no other change."""
        try:
            yield
        except Exception:
            self._writer.told_failures += 1
            logger.exception("world %s: who is told of changes failed", self._world)


def _refusal(why: str) -> CallsheetError:
    return error_for(
        ErrorCode.STORAGE_FAILED,
        f"the world could not be saved, so nothing was changed: {why}; free some disk space or "
        f"look into the server's log, then ask again",
        retry_after_s=RETRY_S,
    )
