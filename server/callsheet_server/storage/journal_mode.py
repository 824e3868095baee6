"""Choice of a database's journal: a write-ahead log where the folder can hold one."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Final

__all__ = ["open_database"]

logger = logging.getLogger(__name__)

NO_SHARED_MEMORY: Final = frozenset(
    {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL}
)
"""Primary codes with which a log's shared memory fails, where a folder cannot map it: SMB, NFS and
some bind mounts (https://sqlite.org/wal.html, section 8)."""


def open_database(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open or create a database that logs ahead of writing.

    Where its folder cannot hold such a log, it keeps a rollback journal, which takes longer.

    Raises:
        sqlite3.Error: the file fails either way.
    """

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(path, busy_timeout_s, isolation_level=None, check_same_thread=False)

    connection = connect()
    try:
        _set(connection, "WAL")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in NO_SHARED_MEMORY:
            raise
        logger.warning("%s: its folder holds no write-ahead log (%s): slower", path, error)
        connection = connect()
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # reads a log without the memory
            _set(connection, "TRUNCATE")
            connection.execute("PRAGMA locking_mode = NORMAL")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # lets go of it
        except BaseException:
            connection.close()
            raise
    except BaseException:
        connection.close()
        raise
    return connection


def _set(connection: sqlite3.Connection, mode: str) -> None:
    """Set the mode, and see that the database can be written to in it."""
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")
