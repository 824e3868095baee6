"""Client for games with a frame loop: nothing in it waits.

game = callsheet.frames.connect("ws://127.0.0.1:8765", world="village")
bram = game.npc("bram", name="Bram", persona="You keep the inn.", position=(3.0, 4.0))
ann = game.player("ann", name="Ann")

while running:
    ann.position = (x, y)
    if key_pressed:
        bram.say("Good evening!", ann)
    game.frame()
    draw(bram.position, bram.bubble)
game.close()
"""

from callsheet.frames.client import FrameClient, connect
from callsheet.frames.events import Connected, ServerAbsent, Trouble
from callsheet.frames.people import FrameNpc, FramePlayer
from callsheet.frames.person import Position

__all__ = [
    "Connected",
    "FrameClient",
    "FrameNpc",
    "FramePlayer",
    "Position",
    "ServerAbsent",
    "Trouble",
    "connect",
]
