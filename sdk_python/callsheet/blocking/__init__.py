"""The blocking client: the same surface without asyncio.

    with callsheet.blocking.connect("ws://127.0.0.1:8765", role="game", world="town") as game:
        game.spawn([NpcSpec(npc="bram", name="Bram")])
        for text in game.say("bram", "Good evening."):
            print(text, end="")

Its methods may be called from any thread. Callbacks run on the client's own thread and must not
call its methods. A wait longer than ``request_timeout_s`` raises ``TimeoutError``. With gevent,
patch ``socket``, ``threading`` and ``time`` before importing callsheet.
"""

# Generated from client/__init__.py by sdk_python/tools/generate_blocking.py; do not edit.

from callsheet.blocking.client import BlockingClient, connect
from callsheet.blocking.reply import BlockingReply

__all__ = ["BlockingClient", "BlockingReply", "connect"]
