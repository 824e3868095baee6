"""A game that does nobody any harm, and writes down how it is served.

python -m callsheet_bench.hostile.innocent PORT

Fifty NPCs, 20 keyframes a second with an ack each, one ``say`` a second. Every ack and every reply
is a line on stdout: when it came (monotonic, one clock for all processes), its kind, its seconds.
"""

from __future__ import annotations

import select
import sys
import time
from typing import Any, Final

from callsheet_bench.hostile.raw_socket import RawSocket

NPCS: Final = 50
TICKS_PER_S: Final = 20
SAY_EVERY: Final = 20
"""Ticks between two lines said."""
ACK_EVERY: Final = 16
"""Reliable messages between two acknowledgements."""


class Innocent:
    """The game's one connection; it sends on time and takes what comes meanwhile."""

    def __init__(self, socket: RawSocket) -> None:
        self._socket = socket
        self._messages = socket.messages()
        self._ticked_s: dict[int, float] = {}
        self._said_s: dict[int, float] = {}
        self._request = 0
        self._handles: list[int] = []

    def spawn(self) -> None:
        """Fill the world."""
        npcs = [{"npc": f"n{i}", "name": f"N{i}", "persona": "A villager."} for i in range(NPCS)]
        players = [{"player": "ann", "name": "Ann"}]
        answer = self._socket.ask(type="spawn", id=self._next(), npcs=npcs, players=players)
        self._handles = [npc["handle"] for npc in answer["npcs"]]

    def play(self) -> None:
        """Tick and talk, for good."""
        start_s = time.monotonic()
        tick = 0
        while True:
            tick += 1
            now_s = self._ticked_s[tick] = time.monotonic()
            where = [float(tick % 100), 0.0, 0.0]
            npcs = [{"handle": handle, "position": where} for handle in self._handles]
            self._socket.say(
                type="tick",
                kind="keyframe",
                tick=tick,
                ack=True,
                game_time_s=now_s - start_s,
                npcs=npcs,
            )
            if tick % SAY_EVERY == 0:
                self._say(f"n{tick // SAY_EVERY % NPCS}")
                self._socket.say(type="ping", client_time_s=now_s)
            self._listen(start_s + tick / TICKS_PER_S)

    def _say(self, npc: str) -> None:
        request = self._next()
        self._said_s[request] = time.monotonic()
        speaker = {"kind": "player", "id": "ann"}
        self._socket.say(
            type="say",
            id=request,
            npc=npc,
            text="Hello!",
            max_tokens=5,
            speaker=speaker,
        )

    def _listen(self, until_s: float) -> None:
        while (left_s := until_s - time.monotonic()) > 0:
            if self._socket.has_more() or select.select([self._socket], [], [], left_s)[0]:
                message = next(self._messages, None)
                if message is None:
                    raise ConnectionResetError
                self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "tick_ack":
                # An ack that is late takes the place of those before it.
                for tick in [t for t in self._ticked_s if t <= message["tick"]]:
                    _print("ack", self._ticked_s.pop(tick))
            case "reply_end" if message.get("finish_reason") != "error":
                _print("reply", self._said_s.pop(message["id"]))
            case "error" | "reply_end":
                print(f"{time.monotonic()} {message.get('code')} 0", flush=True)
        if message.get("seq", 1) % ACK_EVERY == 0:
            self._socket.say(type="ack", seq=message["seq"])

    def _next(self) -> int:
        self._request += 1
        return self._request


def _print(kind: str, since_s: float) -> None:
    now_s = time.monotonic()
    print(f"{now_s} {kind} {now_s - since_s}", flush=True)


def main() -> None:
    with RawSocket(int(sys.argv[1])) as socket:
        welcome = socket.hello("game", "innocent")
        assert welcome["type"] == "welcome", welcome
        innocent = Innocent(socket)
        innocent.spawn()
        try:
            innocent.play()
        except OSError:
            print(f"{time.monotonic()} lost 0", flush=True)


if __name__ == "__main__":
    main()
