"""Folders that cannot hold a write-ahead log's shared memory, as on SMB and NFS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from callsheet_server.storage.journal_mode import open_database


@contextmanager
def without_shared_memory(path: Path) -> Iterator[None]:
    """Put something into the place of the log's index that SQLite does not open."""
    index = path.with_name(f"{path.name}-shm")
    index.symlink_to("/dev/full")
    yield
    index.unlink()


def mode(path: Path) -> str:
    with closing(open_database(path, 1.0)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS notes (text)")
        connection.execute("INSERT INTO notes VALUES ('x')")
        with closing(open_database(path, 1.0)) as reader:
            assert reader.execute("SELECT text FROM notes").fetchone() == ("x",)
        (found,) = connection.execute("PRAGMA journal_mode").fetchone()
        return str(found)


def test_a_world_is_written_and_read_with_a_log_and_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "town.sqlite"
    with without_shared_memory(path):
        assert mode(path) == "truncate"
    assert "its folder holds no write-ahead log" in caplog.text
    assert mode(path) == "wal"
    with without_shared_memory(path):
        assert mode(path) == "truncate", "also a file that had a log"
        with closing(open_database(path, 1.0)) as connection:
            assert connection.execute("SELECT count(*) FROM notes").fetchone() == (3,)
