"""``callsheet world``, in this process."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from storage.worlds import make, texts

from callsheet_cli import main
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "worlds"
    folder.mkdir()
    make(folder)
    return folder


def world(folder: Path, *argv: object, status: int = 0) -> None:
    command, *rest = map(str, argv)
    assert main(["world", command, *rest, "--directory", str(folder)]) == status


def test_list_and_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world(folder, "list")
    assert "1 NPCs         3 turns       1 notes    0 saves" in capsys.readouterr().out
    world(folder, "check")
    assert capsys.readouterr().out == "town: ok\n"
    with closing(sqlite3.connect(Folder(folder).file("town"), isolation_level=None)) as connection:
        connection.execute("UPDATE turns SET text = 'forged' WHERE id = 2")
    world(folder, "check", "town", status=1)
    assert "turns: 1 damaged rows" in capsys.readouterr().out


def test_backup_and_restore(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = tmp_path / "town.backup"
    world(folder, "backup", "town", backup)
    world(folder, "backup", "town", backup, status=1)
    assert "--force overwrites it" in capsys.readouterr().err
    world(folder, "backup", "town", backup, "--force")
    path = Folder(folder).file("town")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM turns")
    world(folder, "restore", "town", backup, status=1)
    assert "there is a world 'town'; --force overwrites it" in capsys.readouterr().err
    world(folder, "restore", "town", backup, "--force")
    world(folder, "restore", "village", backup)
    assert texts(path) == texts(Folder(folder).file("village")) == ["turn 0", "turn 1", "turn 2"]


def test_a_damaged_backup_changes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = tmp_path / "town.backup"
    world(folder, "backup", "town", backup)
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        connection.execute("UPDATE turns SET text = 'forged' WHERE id = 2")
    world(folder, "restore", "town", backup, "--force", status=1)
    assert "is damaged: turns: 1 damaged rows" in capsys.readouterr().err
    backup.write_bytes(b"no database" * 1000)
    world(folder, "restore", "town", backup, "--force", status=1)
    assert "no backup that can be read" in capsys.readouterr().err
    assert texts(Folder(folder).file("town")) == ["turn 0", "turn 1", "turn 2"]
    assert {path.suffix for path in folder.iterdir()} <= {".sqlite3", ".lock"}


def test_export_and_import(folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    world(folder, "export", "town", first)
    world(folder, "import", "village", first)
    world(folder, "export", "village", second)
    head, *rows = [json.loads(line) for line in first.read_text(encoding="utf-8").splitlines()]
    assert (head["callsheet"], head["world"]) == ("world", "town")
    assert {row["table"] for row in rows} == {
        *("world", "npcs", "players", "timelines", "turns", "notes")
    }
    assert next(row["spec"] for row in rows if row["table"] == "npcs")["name"] == "Bob"
    assert first.read_text().splitlines()[1:] == second.read_text().splitlines()[1:]


@pytest.mark.parametrize("command", ["export", "backup"])
def test_a_command_that_fails_leaves_no_file_and_destroys_none(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    out = tmp_path / "town.out"
    world(folder, command, "nowhere", out, status=1)
    assert not out.exists()
    out.write_text("of last year")
    world(folder, command, "nowhere", out, "--force", status=1)

    def break_off(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(WorldFile, "rows", break_off)
    monkeypatch.setattr(WorldFile, "copy_to", break_off)
    world(folder, command, "town", out, "--force", status=1)
    assert out.read_text() == "of last year"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["town.out", "worlds"]


@pytest.mark.parametrize("command", ["restore", "import"])
def test_a_world_is_there_until_another_takes_its_place(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    source = tmp_path / "source"
    world(folder, {"restore": "backup", "import": "export"}[command], "town", source)
    path = Folder(folder).file("town")

    def refuse(_: Path, target: Path) -> None:
        assert path.is_file(), "the old one is gone before the new one is there"
        raise OSError(f"{target} is in use")

    monkeypatch.setattr(Path, "replace", refuse)
    world(folder, command, "town", source, "--force", status=1)
    assert texts(path) == ["turn 0", "turn 1", "turn 2"]
    assert [p.name for p in folder.iterdir() if "ing" in p.suffix] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("not json", "line 3: not a line of"),
        ('{"table": "sessions"}', "no table 'sessions'"),
        ('{"table": "turns", "npc": "bob"}', "KeyError('id')"),
        ('{"table": "npcs", "spec": {"npc": ""}, "handle": 1}', "line 3"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_made(
    folder: Path, tmp_path: Path, line: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "town.jsonl"
    world(folder, "export", "town", file)
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([*lines[:2], line, *lines[2:]]), encoding="utf-8")
    world(folder, "import", "village", file, status=1)
    assert wrong in capsys.readouterr().err
    assert list(Folder(folder).worlds()) == ["town"]


def test_a_server_keeps_writers_out_and_lets_backups_be_made(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, running = tmp_path / "town.backup", Folder(folder)
    running.claim()
    world(folder, "backup", "town", backup)
    world(folder, "restore", "town", backup, "--force", status=1)
    assert "a server is using this folder: stop it first" in capsys.readouterr().err
    running.release()


def test_what_is_not_there_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world(folder, "backup", "vilage", tmp_path / "x", status=1)
    assert "no world 'vilage' in" in capsys.readouterr().err
    world(folder, "restore", "town", tmp_path / "x", status=2)
    assert "no such file" in capsys.readouterr().err
    assert main(["world", "list", "--directory", ""]) == 1
    assert "nothing is kept; name a --directory" in capsys.readouterr().err
