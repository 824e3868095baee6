"""One world's database: what is written is read back, and damage is found and named."""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from storage.worlds import BROKEN, WORLD, content, make, texts

from callsheet_server.storage.errors import NewerWorldError, UnreadableWorldError
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.saved import SavedTurn
from callsheet_server.storage.schema import CHECKED, VERSION
from callsheet_server.storage.statements import checksum, statements_of
from callsheet_server.storage.writer import load_or_replace, open_or_replace
from callsheet_server.storage.writes import AddTurn, Forget, MakeSave, PutFact

TURNS = [
    SavedTurn("Ann", "turn 0", 1.5),
    SavedTurn(None, "turn 1", 1.5),
    SavedTurn("Ann", "turn 2", 1.5),
]


def opened(path: Path) -> closing[WorldFile]:
    return closing(WorldFile(path, WORLD))


def raw(path: Path, *sql: Any) -> list[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(*sql).fetchall()


def test_a_world_is_read_back(tmp_path: Path) -> None:
    with opened(make(tmp_path)) as file:
        saved = file.load()
        assert saved is not None
        assert file.damage() == []
    (npc,), (player,), (session,) = saved.npcs, saved.players, saved.sessions
    assert (npc.spec.npc, npc.handle, npc.alive, npc.hint_s) == ("bob", 1 << 20, True, 30.0)
    assert (player.spec.player, player.handle) == ("ann", 1)
    assert saved.config == {"lore": "It rains."}
    assert saved.facts == {"bob": {"debt": {"to": "ann", "amount": 3}}}
    assert (session.session, session.tokens, session.last_request_id) == ("s", b"t" * 96, 7)
    assert [seq for seq, _ in session.answers] == [1, 2, 3]
    assert session.open_requests == [7]


def test_only_the_latest_turns_are_read_oldest_first(tmp_path: Path) -> None:
    with opened(make(tmp_path)) as file:
        assert file.latest_turns("bob", 2) == TURNS[1:]
        assert file.latest_turns("nobody", 2) == []


def test_turns_can_be_searched_and_forgotten(tmp_path: Path) -> None:
    path = make(tmp_path)
    find = "SELECT rowid FROM recall WHERE recall MATCH ?"
    with opened(path) as file:
        file.apply([([AddTurn("bob", "Ann", "where is the mill?", 2.0)], None)])
    assert raw(path, find, ("mill",)) == [(4,)]
    with opened(path) as file:
        file.apply([([Forget("bob", None)], lambda file: file.sweep(100))])
        assert (file.latest_turns("bob", 64), file.facts(["bob"])) == ([], {})
        assert file.damage() == []
    assert raw(path, find, ("mill",)) == []


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    path = make(tmp_path)
    good = AddTurn("bob", "Ann", "lost", 2.0)
    with opened(path) as file, pytest.raises(sqlite3.IntegrityError):
        file.apply([([good], None), ([BROKEN], None)])
    assert texts(path) == ["turn 0", "turn 1", "turn 2"]


@pytest.mark.parametrize("table", [table for table in CHECKED if table != "timelines"])
def test_a_damaged_row_is_quarantined_and_named(
    tmp_path: Path, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = make(tmp_path)
    with opened(path) as file:
        file.apply([([MakeSave("dawn", 1.0, 1.8e9, {"bob": 30.0})], None)])
    column = {"world": "value", "npcs": "spec", "players": "spec", "turns": "text"}.get(table)
    column = column or {"notes": "value", "saves": "state"}.get(table)
    column = column or {"sessions": "tokens", "answers": "frame"}[table]
    (before,) = raw(path, f"SELECT count(*) FROM {table}")[0]
    ((rowid,),) = raw(path, f"SELECT min(rowid) FROM {table}")
    raw(path, f"UPDATE {table} SET {column} = {column} || '!' WHERE rowid = {rowid}")
    with opened(path) as file:
        assert file.damage() == [f"{table}: 1 damaged rows, the first has rowid {rowid}"]
        with caplog.at_level(logging.ERROR):
            file.load()
            file.latest_turns("bob", 64)
        assert file.quarantined == {table: 1}
        assert file.damage() == []
        assert file.count(table) == before - 1
        assert file.count("quarantine") == 1
    assert f"a damaged row of {table} (rowid {rowid}" in caplog.text


def test_a_world_with_damaged_timelines_is_set_aside(tmp_path: Path) -> None:
    path = make(tmp_path)
    raw(path, "UPDATE timelines SET until = 7")
    with opened(path) as file:
        assert file.damage() == ["timelines: 1 damaged rows, the first has rowid 1"]
        with pytest.raises(UnreadableWorldError, match="timelines are damaged"):
            file.load()


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    path = make(tmp_path)
    raw(path, "UPDATE turns SET text = CAST(x'ff' AS TEXT) WHERE id = 2")
    with opened(path) as file:
        assert file.latest_turns("bob", 64) == [TURNS[0], TURNS[2]]
        assert file.quarantined == {"turns": 1}


def test_an_older_schema_is_brought_forward(tmp_path: Path) -> None:
    path = Folder(tmp_path).file(WORLD)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parent / "version1.sql").read_text())
        for write in content():
            for statement in statements_of(write) if not isinstance(write, PutFact) else ():
                connection.execute(*statement)
        facts = [("bob", "debt", "3"), ("bob", "mood", '"grim"')]
        rows = [(*fact, checksum(*fact)) for fact in facts]
        connection.executemany("INSERT INTO facts VALUES (?, ?, ?, ?)", rows)
        connection.execute("UPDATE facts SET value = CAST(x'ff' AS TEXT) WHERE name = 'mood'")
        connection.commit()
    with opened(path) as file:
        assert (file.latest_turns("bob", 64), file.facts(["bob"])) == (TURNS, {"bob": {"debt": 3}})
        assert file.quarantined == {"notes": 1}, "what was damaged before is damaged"
        assert file.damage() == []
    assert raw(path, "PRAGMA user_version") == [(VERSION,)]
    assert raw(path, "SELECT rowid FROM recall WHERE recall MATCH 'turn'") == [(1,), (2,), (3,)]


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    path = make(tmp_path)
    raw(path, f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(NewerWorldError, match=r"newer Callsheet \(schema .*upgrade"):
        WorldFile(path, WORLD)
    with pytest.raises(NewerWorldError):
        open_or_replace(Folder(tmp_path), WORLD)
    assert path.read_bytes() == before


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    path = Folder(tmp_path).file(WORLD)
    raw(path, "CREATE TABLE theirs (a)")
    with pytest.raises(UnreadableWorldError, match="another program"):
        WorldFile(path, WORLD)


@pytest.mark.parametrize("ruin", ["header", "pages", "text"])
def test_a_file_that_cannot_be_read_is_set_aside(
    tmp_path: Path, ruin: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = make(tmp_path, turns=500)
    body = path.read_bytes()
    if ruin == "text":
        path.write_bytes(b"this is no database" * 300)
    else:
        start, end = (0, 100) if ruin == "header" else (4096, len(body))
        path.write_bytes(body[:start] + b"\xa5" * (end - start) + body[end:])
    folder = Folder(tmp_path)
    with caplog.at_level(logging.ERROR):
        found = load_or_replace(folder, WORLD)
    assert not (found and found.sessions)
    assert "set aside" in caplog.text
    assert "callsheet world restore town BACKUP --force" in caplog.text
    aside = path.with_name(f"{path.name}.broken-1")
    assert aside.exists()
    with opened(path) as file:
        assert file.count("npcs") == 0


def test_a_torn_log_loses_the_end_and_nothing_else(tmp_path: Path) -> None:
    """The log cut off anywhere, as by a disk that lied about what it had written."""
    path = Folder(tmp_path).file(WORLD)
    image = tmp_path / "image"
    image.mkdir()
    with opened(path) as file:
        for number in range(40):
            file.apply([([AddTurn("bob", "Ann", f"turn {number}", 0.0)], None)])
        for side in ("", "-wal"):
            shutil.copy(f"{path}{side}", image / f"{path.name}{side}")
    log = (image / f"{path.name}-wal").read_bytes()
    rng, kept = random.Random(5), set()
    for _ in range(60):
        torn = tmp_path / f"torn-{rng.random()}"
        torn.mkdir()
        copy = Folder(torn).file(WORLD)
        shutil.copy(image / path.name, copy)
        Path(f"{copy}-wal").write_bytes(log[: rng.randrange(len(log) + 1)])
        found = texts(copy)
        assert found == [f"turn {number}" for number in range(len(found))]
        with opened(copy) as file:
            assert file.damage() == []
        kept.add(len(found))
    assert len(kept) > 10


def test_names_of_worlds_become_names_of_files_and_back(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    names = ["Town", "town", "a.b:c-d_e", "..", "CON", "x" * 64]
    for name in names:
        make(tmp_path, name)
        assert folder.file(name).parent == tmp_path
    assert sorted(folder.worlds()) == sorted(names)
    assert len({folder.file(name).name.lower() for name in names}) == len(names)
