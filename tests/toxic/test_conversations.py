"""Conversations over a bad network: each say is answered once, in order, and nothing comes twice.

Both clients of the SDK talk to a real server through ``proxy.py``, while the wire is slow,
dribbles, is cut in mid-frame, goes half open, or delivers what was sent before a resume after it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from toxic.proxy import Proxy, Wire

import callsheet
from callsheet import NpcSpec, PlayerSpec, ReplyDelta, ReplyEnd, SessionState, StateChanged
from callsheet import blocking as blocking_module
from callsheet.core.events import Event
from callsheet.wire.base import Reliable, ServerMessage
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.transport.settings import ServerSettings

SAYS = 12
PACE_S = 0.02
"""Between two says: what is said and what is answered overlap."""
NPCS = [NpcSpec(npc=f"n{i}", name=f"N{i}") for i in range(3)]
ANN = PlayerSpec(player="ann", name="Ann")
QUICK = callsheet.ClientSettings(
    backoff_min_s=0.01, backoff_max_s=0.05, connect_timeout_s=60, open_timeout_s=60
)
CUTS = range(1, SAYS, 2)
"""The says after which the wire is cut."""

Trouble = Callable[[int], None]
"""Does something to the wire after the say of this number."""


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[CallsheetServer]:
    """A server; its parameter is the heartbeat's interval, which is long unless given."""
    heartbeat_s: float = getattr(request, "param", 60.0)
    settings = Settings(
        server=ServerSettings(
            port=0, drain_timeout_s=0.1, hello_timeout_s=60.0, heartbeat_interval_s=heartbeat_s
        ),
        scripted=ScriptedSettings(token_delay_s=0.005, rebuild_s=0.0),
    )
    async with running_server(settings, ScriptedEngine(settings.scripted)) as server:
        yield server
        server.check_integrity()


@pytest.fixture
async def proxy(server: CallsheetServer) -> AsyncIterator[Proxy]:
    async with Proxy(server.port, seed=6) as proxy:
        yield proxy


@dataclass
class Record:
    """Messages that a client was told, and whether all came once and in order."""

    server: CallsheetServer
    messages: list[ServerMessage] = field(default_factory=list)
    states: list[SessionState] = field(default_factory=list)
    on_resumed: Callable[[], object] = lambda: None

    def take(self, event: Event) -> None:
        if isinstance(event, StateChanged):
            self.states.append(event.state)
            if self.states[-2:] == [SessionState.RESUMING, SessionState.OPEN]:
                self.on_resumed()
        elif isinstance(event, ServerMessage):
            self.messages.append(event)

    def check(self, ends: list[ReplyEnd]) -> None:
        """All says were answered, each once, in order for each NPC; the server agrees.

        To be called before the game says bye: its world ends with it.
        """
        seqs = [m.seq for m in self.messages if isinstance(m, Reliable) and m.seq is not None]
        assert seqs == list(range(1, len(seqs) + 1)), "a message is missing or came twice"
        assert Counter(m.id for m in self.messages if isinstance(m, ReplyEnd)) == Counter(
            end.id for end in ends
        )
        for end in ends:
            deltas = (m for m in self.messages if isinstance(m, ReplyDelta))
            assert "".join(d.text for d in deltas if d.reply == end.reply) == end.text
        memory = self.server.rooms["town"].memory
        for index, spec in enumerate(NPCS):
            turns = memory.turns(spec.npc)
            heard = [turn.text for turn in turns if turn.speaker is not None]
            assert heard == [line(n) for n in range(SAYS) if n % len(NPCS) == index]
            answers = [turn.text for turn in turns if turn.speaker is None]
            assert answers == [e.text for n, e in enumerate(ends) if n % len(NPCS) == index]


def line(number: int) -> str:
    return f"This is line {number}."


def none(_: int) -> None:
    """Leave the wire alone."""


async def talk_with_asyncio(url: str, record: Record, trouble: Trouble) -> None:
    async with callsheet.connect(url, role="game", world="town", settings=QUICK) as game:
        game.on(record.take, ServerMessage, StateChanged)
        handles = list((await game.spawn(NPCS, [ANN])).npcs.values())
        replies = []
        for number in range(SAYS):
            at = [[float(number), 0.0, 0.0]] * len(handles)
            await game.send_tick(float(number), handles, at)
            npc = NPCS[number % len(NPCS)].npc
            replies.append(await game.say(npc, line(number), speaker="ann"))
            trouble(number)
            await asyncio.sleep(PACE_S)
        record.check([await reply for reply in replies])


def talk_with_threads(url: str, record: Record, trouble: Trouble) -> None:
    with blocking_module.connect(url, role="game", world="town", settings=QUICK) as game:
        game.on(record.take, ServerMessage, StateChanged)
        handles = list(game.spawn(NPCS, [ANN]).npcs.values())
        replies = []
        for number in range(SAYS):
            game.send_tick(float(number), handles, [[float(number), 0.0, 0.0]] * len(handles))
            npc = NPCS[number % len(NPCS)].npc
            replies.append(game.say(npc, line(number), speaker="ann"))
            trouble(number)
            time.sleep(PACE_S)
        record.check([reply.end() for reply in replies])


async def talk(kind: str, url: str, record: Record, trouble: Trouble = none) -> None:
    if kind == "asyncio":
        await talk_with_asyncio(url, record, trouble)
    else:
        loop = asyncio.get_running_loop()

        def trouble_here(number: int) -> None:
            loop.call_soon_threadsafe(trouble, number)

        await asyncio.to_thread(talk_with_threads, url, record, trouble_here)


BOTH = pytest.mark.parametrize("kind", ["asyncio", "threads"])


@BOTH
@pytest.mark.parametrize(
    "wire",
    [
        Wire(delay_s=0.02, jitter_s=0.03),
        Wire(dribble_bytes=7),
        Wire(delay_s=0.005, jitter_s=0.01, dribble_bytes=7),
    ],
    ids=["delay", "dribble", "both"],
)
async def test_a_slow_wire_is_only_slow(
    server: CallsheetServer, proxy: Proxy, kind: str, wire: Wire
) -> None:
    proxy.wire.__dict__.update(wire.__dict__)
    await talk(kind, proxy.url, Record(server))
    assert proxy.connections == 1


@BOTH
@pytest.mark.parametrize("after_bytes", [None, 1, 150, 2_000])
async def test_cuts_lose_and_double_nothing(
    server: CallsheetServer, proxy: Proxy, kind: str, after_bytes: int | None
) -> None:
    """``after_bytes``: each cut comes after so many more bytes, so in the middle of a frame."""
    proxy.wire.dribble_bytes = 7
    record = Record(server)

    def cut(number: int) -> None:
        if number in CUTS and after_bytes is None:
            proxy.cut()
        elif number in CUTS and after_bytes is not None:
            proxy.cut_after(after_bytes)

    await talk(kind, proxy.url, record, cut)
    assert proxy.connections > 1
    assert SessionState.RESUMING in record.states


@BOTH
@pytest.mark.parametrize("server", [0.2], indirect=True)
async def test_a_half_open_wire_is_noticed_by_both_ends(
    server: CallsheetServer, proxy: Proxy, kind: str
) -> None:
    record = Record(server)
    await talk(kind, proxy.url, record, lambda number: proxy.freeze() if number == 4 else None)
    assert proxy.connections > 1
    assert SessionState.RESUMING in record.states


@BOTH
async def test_what_an_old_connection_delivers_late_is_nobodys(
    server: CallsheetServer, proxy: Proxy, kind: str
) -> None:
    """Says held back by the old connection arrive after the new one has sent them again."""
    loop = asyncio.get_running_loop()
    released = asyncio.Event()

    def release() -> None:
        proxy.release()
        released.set()

    def disturb(number: int) -> None:
        if number == 3:
            proxy.hold()
        elif number == 7:
            proxy.strand()

    def released_here() -> None:
        loop.call_soon_threadsafe(release)

    record = Record(server, on_resumed=released_here)
    await talk(kind, proxy.url, record, disturb)
    await released.wait()
    assert proxy.connections == 2
