-- A world as schema 1 wrote it. Checksums as statements.checksum makes them.
PRAGMA application_id = 1128352844;
PRAGMA user_version = 1;
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
