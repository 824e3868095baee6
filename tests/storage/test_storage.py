"""The event loop's side: what is submitted is written in order, or undone in reverse."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from storage.worlds import BROKEN, WORLD, make, texts

from callsheet.wire import CallsheetError, ErrorCode
from callsheet_server.storage import storage as storage_module
from callsheet_server.storage.changes import Change
from callsheet_server.storage.errors import FolderInUseError, NewerWorldError, StorageError
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.portable import back_up
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.storage.storage import Storage, open_storage
from callsheet_server.storage.writes import AddTurn, EndSession, Forget, Write


async def started(folder: Path, **settings: Any) -> Storage:
    storage, _ = await open_storage(StorageSettings(directory=str(folder), **settings))
    return storage


def turn(number: int) -> Write:
    return AddTurn("bob", "Ann", f"turn {number}", 0.0)


async def kept_turns(folder: Path) -> list[str]:
    return await asyncio.to_thread(texts, Folder(folder).file(WORLD))


async def test_changes_are_durable_in_order_when_told_so(tmp_path: Path) -> None:
    storage, told = await started(tmp_path), []
    journal = storage.journal(WORLD)

    def done(number: int) -> Any:
        def check(read: int) -> None:
            told.append((number, read))

        return check

    for number in range(200):
        journal.submit(Change([turn(number)], read=lambda f: f.count("turns"), done=done(number)))
    await storage.flush()
    assert told == [(number, number + 1) for number in range(200)]
    assert storage.disk is not None
    assert storage.disk.writer.commits < 100, "changes that wait share a commit"
    await storage.close()
    assert await kept_turns(tmp_path) == [f"turn {number}" for number in range(200)]


async def test_what_fails_takes_what_followed_with_it_and_nothing_else(tmp_path: Path) -> None:
    storage = await started(tmp_path)
    journal, log = storage.journal(WORLD), []

    def change(name: str, *todo: Write) -> Change:
        return Change(
            todo,
            done=lambda _: log.append(f"{name} done"),
            undo=lambda: log.append(f"{name} undone"),
            failed=lambda error: log.append(f"{name} {error.code}"),
        )

    journal.submit(change("a", turn(1)))
    await storage.flush()
    journal.submit(change("b", BROKEN))
    journal.submit(change("c", turn(2)))
    other = storage.journal("elsewhere")
    other.submit(change("elsewhere", turn(9)))
    await storage.flush()
    journal.submit(change("d", turn(3)))
    await storage.flush()
    log.remove("elsewhere done")
    assert log == [
        "a done",
        *("c undone", "b undone", "b storage_failed", "c storage_failed"),
        "d done",
    ]
    await storage.close()
    assert await kept_turns(tmp_path) == ["turn 1", "turn 3"]


async def test_a_bug_in_what_is_told_of_a_change_concerns_no_other_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage, log = await started(tmp_path), list[str]()
    journal = storage.journal(WORLD)

    def change(name: str, *todo: Write) -> Change:
        def note(what: str) -> None:
            log.append(f"{name} {what}")
            raise ZeroDivisionError("a bug")

        return Change(
            todo,
            done=lambda _: note("done"),
            undo=lambda: note("undone"),
            failed=lambda _: note("failed"),
        )

    for number in range(3):
        journal.submit(change(f"a{number}", turn(number)))
    await storage.flush()
    journal.submit(change("b", BROKEN))
    journal.submit(change("c"))
    await storage.flush()
    journal.submit(change("d"))
    await storage.flush()
    told = ["a0 done", "a1 done", "a2 done", "c undone", "b undone", "b failed", "c failed"]
    assert log == [*told, "d done"]
    assert storage.disk is not None
    assert storage.disk.writer.told_failures == len(log)
    assert sum("who is told of changes failed" in line for line in caplog.messages) == len(log)
    await storage.close()


async def test_a_file_that_cannot_be_closed_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = await started(tmp_path)
    storage.journal(WORLD).submit(Change([turn(1)]))
    await storage.flush()

    def refuse(_: WorldFile) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(WorldFile, "close", refuse)
        storage.rest(WORLD)
        await at_rest(storage)
        storage.journal("elsewhere").submit(Change([turn(2)]))
        await storage.flush()
    assert storage.disk is not None
    assert storage.disk.writer.failures == 1
    await storage.close()


async def at_rest(storage: Storage) -> None:
    """Wait until no world's journal is kept."""
    async with asyncio.timeout(50):
        while books(storage) != ({}, {}, {}):  # noqa: ASYNC110, nobody announces it
            await asyncio.sleep(0.005)


def books(storage: Storage) -> tuple[Any, Any, Any]:
    """Journals, open files, failures remembered."""
    assert storage.disk is not None
    writer: Any = storage.disk.writer
    journals: Any = storage
    return journals._journals, writer._files, writer._failed_epochs


async def test_a_world_at_rest_leaves_nothing_behind(tmp_path: Path) -> None:
    storage = await started(tmp_path)
    for number in range(1, 41):
        journal = storage.journal(f"match{number}")
        journal.submit(Change(must=[turn(number)]))
        if number % 2:
            journal.submit(Change([BROKEN], must=[turn(-number)]))
        storage.rest(f"match{number}")
    await at_rest(storage)
    storage.check_integrity()
    for number in range(1, 41):
        path = Folder(tmp_path).file(f"match{number}")
        kept = await asyncio.to_thread(texts, path, f"match{number}")
        assert kept == [f"turn {number}", f"turn {-number}"][: 1 + number % 2]
    await storage.close()


async def test_a_world_that_is_entered_again_is_not_forgotten(tmp_path: Path) -> None:
    storage = await started(tmp_path)
    journal = storage.journal(WORLD)
    for number in range(50):
        journal.submit(Change([BROKEN]))
        storage.rest(WORLD)
        if number % 3:
            await asyncio.sleep(0)
        if number % 5 == 0:
            await at_rest(storage)
        journal = storage.journal(WORLD)
        await journal.flush()  # type: ignore[attr-defined]
        journal.submit(Change([turn(number)]))
        await storage.flush()
    await storage.close()
    assert await kept_turns(tmp_path) == [f"turn {number}" for number in range(50)]


async def test_what_must_be_done_is_carried_over_a_failure(tmp_path: Path) -> None:
    storage = await started(tmp_path)
    journal = storage.journal(WORLD)
    journal.submit(Change([BROKEN], must=[turn(1)]))
    await storage.flush()
    journal.submit(Change([turn(2)]))
    await storage.flush()
    await storage.close()
    assert await kept_turns(tmp_path) == ["turn 1", "turn 2"]


async def test_a_full_database_refuses_and_recovers(tmp_path: Path) -> None:
    storage = await started(tmp_path, max_world_bytes=250_000)
    journal, errors = storage.journal(WORLD), list[CallsheetError]()
    kept = 0

    def done(_: object) -> None:
        nonlocal kept
        kept += 1

    while not errors:
        journal.submit(
            Change(
                [AddTurn("bob", "Ann", "x" * 4000, 0.0)],
                done=done,
                failed=errors.append,
            )
        )
        await storage.flush()
    assert errors[0].code == ErrorCode.STORAGE_FAILED
    assert "full" in errors[0].message
    assert errors[0].retry_after_s is not None
    journal.submit(Change([Forget("bob", None)], read=lambda file: file.sweep(1_000)))
    journal.submit(Change([turn(1)]))
    await storage.flush()
    assert len(errors) == 1
    await storage.close()
    assert await kept_turns(tmp_path) == ["turn 1"]
    assert kept > 10


async def test_a_disk_that_does_not_keep_up_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "MAX_WAITING_CHANGES", 16)
    storage = await started(tmp_path)
    journal, log = storage.journal(WORLD), list[str]()
    for number in range(40):
        journal.submit(
            Change(
                [turn(number)],
                done=lambda _: log.append("done"),
                undo=lambda: log.append("undone"),
                failed=lambda error: log.append(error.code),
            )
        )
    await storage.flush()
    assert log.count("done") == 16
    assert log.count("undone") == log.count("storage_failed") == 24
    await storage.close()


async def test_a_folder_has_one_server(tmp_path: Path) -> None:
    first = await started(tmp_path)
    with pytest.raises(FolderInUseError, match="stop it first"):
        await started(tmp_path)
    await first.close()
    await first.close()
    await (await started(tmp_path)).close()


async def test_a_world_of_a_newer_version_keeps_the_server_from_starting(tmp_path: Path) -> None:
    def age() -> None:
        with closing(sqlite3.connect(make(tmp_path))) as connection:
            connection.execute("PRAGMA user_version = 99")

    await asyncio.to_thread(age)
    for _ in range(2):  # Nothing stays claimed.
        with pytest.raises(NewerWorldError, match="upgrade"):
            await started(tmp_path)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"storage\.directory .*file"):
        await started(tmp_path / "file" / "inside")


async def test_worlds_with_a_session_are_loaded_others_rest(tmp_path: Path) -> None:
    def prepare() -> None:
        make(tmp_path, "played")
        with closing(WorldFile(make(tmp_path, "resting"), "resting")) as file:
            file.apply([([EndSession("s")], None)])

    await asyncio.to_thread(prepare)
    storage, saved = await open_storage(StorageSettings(directory=str(tmp_path)))
    assert [world.name for world in saved] == ["played"]
    await storage.close()


async def test_without_a_folder_changes_are_done_at_once() -> None:
    storage, saved = await open_storage(StorageSettings())
    assert saved == []
    assert not storage.keeps
    log: list[object] = []
    storage.journal(WORLD).submit(Change([turn(1)], done=log.append))
    assert log == [None]
    await storage.flush()
    await storage.close()


@contextmanager
def stuck_disk(monkeypatch: pytest.MonkeyPatch, world: str) -> Iterator[threading.Event]:
    """Hold up what is written of a world; yields the event that such a write has begun."""
    begun, go_on, apply = threading.Event(), threading.Event(), WorldFile.apply

    def wait(file: WorldFile, changes: Any) -> Any:
        if file.world == world:
            begun.set()
            go_on.wait()
        return apply(file, changes)

    monkeypatch.setattr(WorldFile, "apply", wait)
    try:
        yield begun
    finally:
        go_on.set()


async def test_a_change_of_nothing_makes_no_file(tmp_path: Path) -> None:
    storage, told = await started(tmp_path), list[None]()
    storage.journal(WORLD).submit(Change(done=told.append))
    assert told == [None]
    storage.rest(WORLD)
    await at_rest(storage)
    assert await asyncio.to_thread(lambda: list(Folder(tmp_path).worlds())) == []
    await storage.close()


async def test_a_world_that_is_entered_again_at_once_keeps_its_journal(tmp_path: Path) -> None:
    storage = await started(tmp_path)
    journal = storage.journal(WORLD)
    storage.rest(WORLD)
    assert storage.journal(WORLD) is journal
    await asyncio.sleep(0)
    assert storage.journal(WORLD) is journal
    await storage.close()


async def test_a_world_that_is_slow_to_write_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = await started(tmp_path)
    with stuck_disk(monkeypatch, "slow") as begun:
        storage.journal("slow").submit(Change([turn(1)]))
        await asyncio.to_thread(begun.wait)
        told = asyncio.Event()
        storage.journal(WORLD).submit(Change([turn(2)], done=lambda _: told.set()))
        await told.wait()
    await storage.close()
    assert await kept_turns(tmp_path) == ["turn 2"]


async def test_a_stop_does_not_wait_for_a_disk_that_is_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    storage, told = await started(tmp_path), list[None]()
    journal = storage.journal(WORLD)
    with stuck_disk(monkeypatch, WORLD) as begun:
        journal.submit(Change([turn(1)]))
        await asyncio.to_thread(begun.wait)
        for number in range(2, 5):
            journal.submit(Change([turn(number)], done=told.append))
        await storage.flush(0.01)
        await storage.close(0.01)
    assert told == [], "told of what was never written"
    assert "3 changes were not written before the server had to stop" in caplog.text


async def test_one_world_that_cannot_be_opened_does_not_stop_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Folder(tmp_path)
    folder.file("bad").mkdir()
    await asyncio.to_thread(make, tmp_path)
    storage, saved = await open_storage(StorageSettings(directory=str(tmp_path)))
    assert [world.name for world in saved] == [WORLD]
    assert str(folder.file("bad")) in caplog.text
    await storage.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")
async def test_a_database_deleted_while_open_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    storage, log = await started(tmp_path), list[str]()
    journal = storage.journal(WORLD)

    def change(name: str) -> Change:
        return Change(
            [turn(1)],
            done=lambda _: log.append(f"{name} done"),
            undo=lambda: log.append(f"{name} undone"),
            failed=lambda error: log.append(f"{name} {error.code}"),
        )

    journal.submit(change("a"))
    await storage.flush()
    Folder(tmp_path).file(WORLD).unlink()
    for name in "bc":
        journal.submit(change(name))
        await storage.flush()
    assert log == ["a done", "b undone", "b storage_failed", "c undone", "c storage_failed"]
    await storage.close()


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
async def test_databases_and_backups_are_their_owners_only(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "worlds")
    storage = await started(folder.path)
    storage.journal(WORLD).submit(Change([turn(1)]))
    await storage.flush()
    backup = tmp_path / "town.backup"
    await asyncio.to_thread(back_up, folder, WORLD, backup, lambda *_: None)
    databases = list(folder.path.glob("world-*"))
    assert len(databases) > 1, "the log is a file of its own"
    assert {file.stat().st_mode & 0o777 for file in (backup, *databases)} == {0o600}
    assert folder.path.stat().st_mode & 0o777 == 0o700
    await storage.close()
