"""Windows on the disk (after a load, a spawn, a restart), read when the NPC is asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from callsheet.wire.errors import CallsheetError
from callsheet_server.rooms.persistence import read_window
from callsheet_server.storage.changes import Change
from callsheet_server.talk.reply import Reply
from callsheet_server.world.memory import Mind, Turn

__all__ = ["recollect"]


async def recollect(reply: Reply, npc: str) -> None:
    """Have the window of an NPC that a reply concerns in memory.

    Raises:
        CallsheetError: ``storage_failed``; the next reply tries again.
    """
    memory = reply.memory
    before = memory.mind(npc)
    if not before.unread:
        return
    # What it learnt since is on its way to the disk, and will be read with the rest.
    memory.put(npc, replace(before, turns=()))
    at_hand: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def recalled(turns: tuple[Turn, ...]) -> None:
        if memory.mind(npc).unread:
            memory.recall(npc, Mind(turns))
        if not at_hand.done():
            at_hand.set_result(None)

    def failed(error: CallsheetError) -> None:
        if not at_hand.done():
            at_hand.set_exception(error)

    reply.room.journal.submit(
        Change(
            read=lambda file: read_window(file, npc, memory.budget_tokens),
            done=recalled,
            undo=lambda: memory.put(npc, before),
            failed=failed,
        )
    )
    await at_hand
