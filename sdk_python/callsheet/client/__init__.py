"""The asyncio client.

    async with callsheet.connect("ws://127.0.0.1:8765", role="game", world="town") as game:
        await game.spawn([NpcSpec(npc="bram", name="Bram")])
        async for text in await game.say("bram", "Good evening."):
            print(text, end="")

Methods that send wait while the queue of unsent messages is full. Cancelling a method that waits
for an answer leaves the request with the server; cancel a reply with ``Reply.cancel``.
"""

from callsheet.client.client import Client, connect
from callsheet.client.reply import Reply

__all__ = ["Client", "Reply", "connect"]
