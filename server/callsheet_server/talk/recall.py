"""Recall: turns that left an NPC's window and fit what it hears, off the disk."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Literal

from callsheet_server.storage.errors import StorageError
from callsheet_server.storage.storage import Storage
from callsheet_server.talk.prompting import recalled_turns
from callsheet_server.talk.reply import Reply
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.world.memory import Turn

__all__ = ["RecallOutcome", "Retriever"]

logger = logging.getLogger(__name__)

RecallOutcome = Literal["found", "nothing", "timeout", "error"]
"""End of a search."""
RECALL_TIMEOUT_S = 0.05
"""Longest wait of a reply for older turns to be found, too short to be noticed."""


class Retriever:
    """Looks older turns up, and never holds a reply up for long or fails it."""

    def __init__(self, storage: Storage, settings: ReplySettings) -> None:
        self._storage = storage
        self._settings = settings
        self.outcomes: Counter[RecallOutcome] = Counter()

    async def recall(self, reply: Reply, heard: str) -> tuple[Turn, ...]:
        """Quote older turns that fit ``heard`` in one turn of the narrator; none if none fits."""
        disk = self._storage.disk
        if disk is None or not self._settings.recall_tokens:
            return ()
        latest = len(reply.memory.turns(reply.npc))
        try:
            async with asyncio.timeout(RECALL_TIMEOUT_S):
                found = await disk.reader.search(reply.room.name, reply.npc, heard, latest)
        except TimeoutError:
            self.outcomes["timeout"] += 1
            return ()
        except StorageError as error:
            logger.warning("%s goes without its older turns: %s", reply.npc, error)
            self.outcomes["error"] += 1
            return ()
        turns = {number: Turn(one.speaker, one.text) for number, one in found.items()}
        name = reply.world.npc(reply.npc).spec.name
        recalled = recalled_turns(turns, name, self._settings.recall_tokens)
        self.outcomes["found" if recalled else "nothing"] += 1
        return recalled
