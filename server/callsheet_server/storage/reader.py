"""The one thread that searches in what NPCs remember, while others write."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final

from callsheet_server.storage.errors import StorageError
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.portable import open_world
from callsheet_server.storage.saved import SavedTurn

__all__ = ["Reader", "expression"]

MAX_WORDS: Final = 32
MAX_FOUND: Final = 8
_WORD: Final = re.compile(r"[^\W_]+")
_EMPTY: Final = frozenset(
    _WORD.findall(
        "a about all am an and any are as at be been but by can could d did do does for from had "
        "has have he her him his how i if in is it its just ll m me my no not of on or our re s "
        "she so t tell than that the their them then there they this to us ve was we were what "
        "when where which who whom why will with would yes you your"
    )
)
"""English words that say nothing of what a talk is about; SQLite would count every use of them."""


class Reader:
    """Opens a world's file for each search: nothing is held when files are moved or replaced."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="callsheet-reader")

    async def search(self, world: str, npc: str, text: str, latest: int) -> dict[int, SavedTurn]:
        """Turns of an NPC, but for its ``latest``, that share words with a text; best first.

        Cancelled before its turn has come, a search is not made.

        Raises:
            StorageError: the world has no file, or it cannot be searched.
        """
        match = expression(npc, text)
        if match is None:
            return {}
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._search, world, npc, match, latest)

    def stop(self) -> None:
        """Let the search that runs end; no other begins. Blocks."""
        self._thread.shutdown(cancel_futures=True)

    def _search(self, world: str, npc: str, match: str, latest: int) -> dict[int, SavedTurn]:
        try:
            with closing(open_world(self._folder, world)) as file:
                return file.search(match, npc, latest, MAX_FOUND)
        except sqlite3.Error as error:
            raise StorageError(f"world {world}: cannot be searched: {error}") from None


def expression(npc: str, text: str) -> str | None:
    """The FTS5 expression for turns of an NPC with any of a text's words; None = no such word.

    Only letters and digits of the text get into it, in quotes: it is data whatever it says.
    """
    words = list(dict.fromkeys(_words(text)))[:MAX_WORDS]
    if not words:
        return None
    any_of = " OR ".join(f'"{word}"' for word in words)
    return f'npc : "{npc}" AND text : ({any_of})'


def _words(text: str) -> Iterator[str]:
    for found in _WORD.finditer(text):
        word = found[0].casefold()
        if word not in _EMPTY:
            yield word
