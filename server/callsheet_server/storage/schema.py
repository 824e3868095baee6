"""The tables of a world's database, version by version.

A released migration is never edited; a change is a new one at the end. Every table whose rows are
worth something carries ``crc``: CRC-32 of its other columns, see ``statements.checksum``.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from callsheet_server.storage.errors import NewerWorldError, UnreadableWorldError

__all__ = ["APPLICATION_ID", "CHECKED", "VERSION", "migrate"]

APPLICATION_ID: Final = 0x43414C4C
"""In the file's header (https://sqlite.org/fileformat.html, section 1.3.16): "CALL"."""

_TABLES = """
CREATE TABLE world (name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE npcs (row INTEGER PRIMARY KEY, handle INTEGER NOT NULL, npc TEXT NOT NULL,
    alive INTEGER NOT NULL, spec TEXT NOT NULL, hint_s REAL, crc INTEGER NOT NULL);
CREATE INDEX npcs_by_id ON npcs (npc);
CREATE TABLE players (player TEXT PRIMARY KEY, handle INTEGER NOT NULL, spec TEXT NOT NULL,
    crc INTEGER NOT NULL);
CREATE TABLE turns (id INTEGER PRIMARY KEY AUTOINCREMENT, npc TEXT NOT NULL, speaker TEXT,
    text TEXT NOT NULL, game_time_s REAL NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX turns_by_npc ON turns (npc, id);
CREATE TABLE facts (npc TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    crc INTEGER NOT NULL, PRIMARY KEY (npc, name));
CREATE TABLE sessions (session TEXT PRIMARY KEY, tokens BLOB NOT NULL,
    last_request_id INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE open_requests (session TEXT NOT NULL, request INTEGER NOT NULL,
    PRIMARY KEY (session, request)) WITHOUT ROWID;
CREATE TABLE answers (session TEXT NOT NULL, seq INTEGER NOT NULL, frame BLOB NOT NULL,
    crc INTEGER NOT NULL, PRIMARY KEY (session, seq));
CREATE TABLE quarantine (id INTEGER PRIMARY KEY, source TEXT NOT NULL, content TEXT NOT NULL);
"""

_FULL_TEXT = """
CREATE VIRTUAL TABLE recall USING fts5(text, content='turns', content_rowid='id');
CREATE TRIGGER turn_added AFTER INSERT ON turns BEGIN
    INSERT INTO recall (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER turn_removed AFTER DELETE ON turns BEGIN
    INSERT INTO recall (recall, rowid, text) VALUES ('delete', old.id, old.text);
END;
INSERT INTO recall (recall) VALUES ('rebuild');
"""

_FULL_TEXT_BY_NPC = """
DROP TRIGGER turn_added;
DROP TRIGGER turn_removed;
DROP TABLE recall;
CREATE VIRTUAL TABLE recall USING fts5(npc, text, content='turns', content_rowid='id',
    tokenize='porter unicode61 remove_diacritics 2');
CREATE TRIGGER turn_added AFTER INSERT ON turns BEGIN
    INSERT INTO recall (rowid, npc, text) VALUES (new.id, new.npc, new.text);
END;
CREATE TRIGGER turn_removed AFTER DELETE ON turns BEGIN
    INSERT INTO recall (recall, rowid, npc, text)
        VALUES ('delete', old.id, old.npc, old.text);
END;
INSERT INTO recall (recall) VALUES ('rebuild');
"""

_TIMELINES = """
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'turns', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'turns');
CREATE TABLE timelines (id INTEGER PRIMARY KEY, parent INTEGER, until INTEGER NOT NULL,
    after INTEGER NOT NULL, crc INTEGER NOT NULL);
INSERT INTO timelines VALUES (1, NULL, 0, -1, checksum(NULL, 0, -1));
CREATE TABLE saves (name TEXT PRIMARY KEY, timeline INTEGER NOT NULL, moment INTEGER NOT NULL,
    time_s REAL NOT NULL, saved_at REAL NOT NULL, state TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, moment INTEGER NOT NULL,
    npc TEXT NOT NULL, name TEXT, value TEXT, game_time_s REAL NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX notes_by_npc ON notes (npc, name, id);
CREATE INDEX notes_by_moment ON notes (moment);
INSERT INTO notes (moment, npc, name, value, game_time_s, crc)
    SELECT seq, npc, facts.name, value, 0.0,
        CASE facts.crc
            WHEN checksum(CAST(npc AS BLOB), CAST(facts.name AS BLOB), CAST(value AS BLOB))
            THEN checksum(seq, npc, facts.name, value, 0.0) ELSE -1
        END
    FROM facts, sqlite_sequence WHERE sqlite_sequence.name = 'turns';
DROP TABLE facts;
"""
"""A wrong checksum stays wrong: -1 is none. ``checksum`` takes BLOBs for texts, see ``migrate``."""

_MIGRATIONS: Final = (_TABLES, _FULL_TEXT, _FULL_TEXT_BY_NPC, _TIMELINES)
VERSION: Final = len(_MIGRATIONS)
"""The schema this version writes; ``PRAGMA user_version`` of a database."""

CHECKED: Final = (
    "world", "npcs", "players", "turns", "notes", "timelines", "saves", "sessions", "answers",
)  # fmt: skip
"""Tables with checksums."""


def migrate(connection: sqlite3.Connection, world: str) -> None:
    """Bring a database up to ``VERSION``; each step is one transaction.

    Raises:
        NewerWorldError: its schema is newer. Nothing is changed.
        UnreadableWorldError: it is somebody else's database.
        sqlite3.Error: as the database raised it.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != APPLICATION_ID:
        raise UnreadableWorldError(f"world {world}: its file is a database of another program")
    if version > VERSION:
        raise NewerWorldError(
            f"world {world} was written by a newer Callsheet (schema {version}, this one knows "
            f"up to {VERSION}): upgrade with pip install --upgrade callsheet, or restore an older "
            f"backup with callsheet world restore"
        )
    for number, script in enumerate(_MIGRATIONS[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID};"
            f"{script} PRAGMA user_version = {number}; COMMIT;"
        )
