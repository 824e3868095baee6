"""The event loop's side of the worlds on disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet_server.storage.changes import Change, Journal, NoJournal
from callsheet_server.storage.errors import StorageError
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.reader import Reader
from callsheet_server.storage.saved import SavedWorld
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.storage.writer import Job, Writer, load_or_replace
from callsheet_server.storage.writes import Write

__all__ = ["Storage", "WorldJournal"]

RETRY_S = 1.0
"""When to come back with what could not be kept."""


class Storage:
    """All worlds' journals, and the thread behind them. Without a directory it keeps nothing."""

    def __init__(self, settings: StorageSettings) -> None:
        self._settings = settings
        self._folder = Folder(Path(settings.directory)) if settings.directory else None
        self._journals: dict[str, WorldJournal] = {}
        self.quarantined: Counter[str] = Counter()
        """Damaged rows found so far, by table."""
        self.writer: Writer | None = None
        """None = nothing is kept, or not started."""
        self.reader: Reader | None = None
        """There while ``writer`` is."""

    async def start(self, max_turns: int) -> list[SavedWorld]:
        """Claim the folder, read it, and begin to write.

        Returns:
            The worlds whose games may come back, with up to ``max_turns`` of each NPC.

        Raises:
            StorageError: the folder is in use, or a later version wrote a world.
        """
        if self._folder is None:
            return []
        saved = await asyncio.to_thread(self._load, self._folder, max_turns)
        self.writer = Writer(self._folder, self._settings.max_world_bytes, self.quarantined)
        self.writer.start()
        self.reader = Reader(self._folder)
        return saved

    async def close(self) -> None:
        """Write what waits, and let the folder go. May be called twice."""
        if self.writer is not None:
            await asyncio.to_thread(self.writer.stop)
            await asyncio.sleep(0)  # What the writer told the loop last is told before this.
            self.writer = None
        if self.reader is not None:
            await asyncio.to_thread(self.reader.stop)
            self.reader = None
        if self._folder is not None:
            await asyncio.to_thread(self._folder.release)

    async def flush(self) -> None:
        """Wait until everything submitted so far is durable, or has failed."""
        await asyncio.gather(*(journal.flush() for journal in self._journals.values()))

    def journal(self, world: str) -> Journal:
        """Where a world's changes go."""
        if self.writer is None:
            return NoJournal()
        if world not in self._journals:
            limit = self._settings.max_waiting_changes
            self._journals[world] = WorldJournal(world, self.writer, limit)
        return self._journals[world]

    def rest(self, world: str) -> None:
        """Nobody is in a world any more: close its file when all is written."""
        if self.writer is not None:
            self.writer.close_world(world)

    def _load(self, folder: Folder, max_turns: int) -> list[SavedWorld]:
        folder.claim()
        worlds = []
        try:
            for world in folder.worlds():
                saved = load_or_replace(folder, world, max_turns, self.quarantined)
                if saved is not None:
                    worlds.append(saved)
        except (sqlite3.Error, OSError) as error:
            folder.release()
            raise StorageError(f"{folder.path}: world {world}: {error}") from None
        except StorageError:
            folder.release()
            raise
        return worlds


class WorldJournal:
    """The changes of one world that are on their way."""

    keeps = True

    def __init__(self, world: str, writer: Writer, max_waiting: int) -> None:
        self._world = world
        self._writer = writer
        self._max_waiting = max_waiting
        self._waiting: deque[Change] = deque()
        self._carried: dict[Write, None] = {}
        """Due with the next change, in order, each once; bounded: the oldest give way."""
        self._epoch = 0

    def submit(self, change: Change) -> None:
        """See ``Journal``."""
        if len(self._waiting) >= self._max_waiting:
            change.undo()
            self.carry(change.must)
            change.failed(_refusal(f"{len(self._waiting)} changes wait for the disk"))
            return
        self._put(change)

    def carry(self, writes: Sequence[Write]) -> None:
        """See ``Journal``."""
        self._carried |= dict.fromkeys(writes)
        while len(self._carried) > self._max_waiting:
            del self._carried[next(iter(self._carried))]

    async def flush(self) -> None:
        """Wait until everything submitted so far is durable, or has failed."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(_: object) -> None:
            if not ended.done():
                ended.set_result(None)

        self._put(Change(done=end, failed=end))
        await ended

    def _put(self, change: Change) -> None:
        change.must = (*self._carried, *change.must)
        self._carried = {}
        self._waiting.append(change)
        writes = (*change.must, *change.writes)
        self._writer.put(
            Job(self._world, self._epoch, writes, change.read, self._committed, self._failed)
        )

    def _committed(self, results: Sequence[Any]) -> None:
        for result in results:
            self._waiting.popleft().done(result)

    def _failed(self, epoch: int, error: Exception) -> None:
        """All that wait were submitted on top of what failed: none of them will be written."""
        assert epoch == self._epoch, "a failure was told twice"
        self._epoch += 1
        failed, self._waiting = self._waiting, deque()
        for change in reversed(failed):
            change.undo()
        refusal = _refusal(str(error))
        for change in failed:
            self.carry(change.must)
            change.failed(refusal)


def _refusal(why: str) -> CallsheetError:
    return error_for(
        ErrorCode.STORAGE_FAILED,
        f"the world could not be saved, so nothing was changed: {why}; free some disk space or "
        f"look into the server's log, then ask again",
        retry_after_s=RETRY_S,
    )
