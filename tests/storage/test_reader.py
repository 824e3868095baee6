"""Searching in what an NPC remembers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storage.worlds import WORLD, make

from callsheet_server.storage.errors import StorageError
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.reader import Reader, expression
from callsheet_server.storage.writes import AddTurn

SAID = [
    ("bob", "Ann", "The wolves came down to the mill."),
    ("bob", None, "A wolf? At the mill?"),
    ("ida", "Ann", "There is a wolf at your door, at the mill."),
    ("bob", "Ann", "Café au lait and bread."),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorldFile]:
    path = make(tmp_path_factory.mktemp("worlds"), turns=0)
    with closing(WorldFile(path, WORLD)) as file:
        file.apply([([AddTurn(*turn, 1.0) for turn in SAID], None)])
        yield file


@pytest.fixture
async def reader(file: WorldFile) -> AsyncIterator[Reader]:
    reader = Reader(Folder(file.path.parent))
    yield reader
    await asyncio.to_thread(reader.stop)


@pytest.mark.parametrize(
    ("heard", "latest", "found"),
    [
        ("Any WOLF at the mill?", 0, {1, 2}),
        ("Any wolf at the mill?", 2, {1}),
        ("Any wolf at the mill?", 3, set()),
        ("cafe", 0, {4}),
        ("What is it about?", 0, set()),
        ("\0", 0, set()),
    ],
)
async def test_turns_that_share_a_word_are_found(
    reader: Reader, heard: str, latest: int, found: set[int]
) -> None:
    assert set(await reader.search(WORLD, "bob", heard, latest)) == found


async def test_who_said_it_and_when_is_told(reader: Reader) -> None:
    ((number, turn),) = (await reader.search(WORLD, "bob", "bread", 0)).items()
    assert (number, turn.speaker, turn.text, turn.game_time_s) == (4, *SAID[3][1:], 1.0)


@given(st.text())
def test_any_text_makes_an_expression_that_sqlite_takes(file: WorldFile, text: str) -> None:
    match = expression("bob", text)
    assert match is None or set(file.search(match, "bob", 0, 8)) <= {1, 2, 4}


def test_an_expression_has_a_bounded_number_of_words() -> None:
    match = expression("bob", " ".join(f"w{n} w{n}" for n in range(1000)))
    assert match is not None
    assert match.count(" OR ") == 31


def test_a_damaged_turn_is_passed_over(tmp_path: Path) -> None:
    path = make(tmp_path, turns=3)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE turns SET speaker = 'Eve' WHERE id = 1")
    with closing(WorldFile(path, WORLD)) as file:
        assert set(file.search('text : "turn"', "bob", 0, 8)) == {2, 3}


def test_of_a_long_turn_the_part_around_the_words_is_quoted(tmp_path: Path) -> None:
    path = make(tmp_path, turns=0)
    with closing(WorldFile(path, WORLD)) as file:
        text = "very " * 500 + "silver key" + " old" * 500
        file.apply([([AddTurn("bob", "Ann", text, 1.0)], None)])
        (turn,) = file.search('text : "silver"', "bob", 0, 8).values()
    assert "silver key" in turn.text
    assert len(turn.text) < 300


async def test_a_world_that_is_not_there_is_an_error(reader: Reader) -> None:
    with pytest.raises(StorageError, match="no world 'village'"):
        await reader.search("village", "bob", "wolf", 0)
