"""Clients that do not read, on real sockets: how much of the server they hold, and for how long."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from server.client import Client
from server.conftest import StartServer
from waiting import until

from callsheet.wire import Ack, ErrorCode, Explain, GetFacts, Ok, SetFacts, Subscribe
from callsheet_server.app.server import CallsheetServer
from callsheet_server.transport import listener as listener_module
from callsheet_server.transport.outbox import MAX_UNRELIABLE_FRAMES, Outbox

ALL: Any = ("replies", "residency", "npcs", "stats")
SMALL = {"max_outbox_messages": 20_000, "max_outbox_bytes": 2_097_152, "max_messages_per_s": 1e6}
BOUND_BYTES = 4 * SMALL["max_outbox_bytes"] + 1_000_000
"""Kept for replay, waiting to be read, in the buffers of both ends; and what each frame costs."""


@contextmanager
def grown_bytes() -> Iterator[list[int]]:
    """Bytes that the body leaves allocated, in this process, clients included."""
    grown: list[int] = []
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    try:
        yield grown
        gc.collect()
        grown.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()


def outbox_of(server: CallsheetServer, client: Client) -> Outbox:
    """The queue of one connection; also after its session has let go of it."""
    return next(
        one.outbox
        for one in server.connections
        if one._connection.session is not None
        and one._connection.session.id == client.welcome.session
    )


async def until_cut(server: CallsheetServer, client: Client) -> None:
    """Wait until nothing of the connection is left."""
    await until(
        lambda: (
            not any(
                one._connection.session is not None
                and one._connection.session.id == client.welcome.session
                for one in server.connections
            )
        )
    )


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "CLOSE_TIMEOUT_S", 0.05)


async def big_world(game: Client) -> None:
    await game.spawn(*(f"npc{number}" for number in range(300)))


@pytest.mark.parametrize("acks", [False, True], ids=["silent", "acks what it does not read"])
async def test_who_reads_nothing_of_its_answers_is_closed_within_bounds(
    start_server: StartServer, acks: bool
) -> None:
    """A mod that asks again and again. Answers may not be dropped, so the connection is."""
    server = await start_server(limits=SMALL)
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        await game.spawn("bob")
        facts = {"long": "x" * 40_000}  # so that the system's own buffers are full soon
        await mod.ask(SetFacts(id=1, npc="bob", facts=facts), Ok)
        mod.socket.transport.pause_reading()
        outbox = outbox_of(server, mod)
        session = next(s for s in server.sessions if s.role == "mod")
        with grown_bytes() as grown:
            for number in range(2, 20_000):
                if session.errors[ErrorCode.SLOW_CONSUMER]:
                    break
                await mod.send(GetFacts(id=number, npc="bob"))
                await asyncio.sleep(0)
                if acks:
                    await mod.send(Ack(seq=session._replay.last_seq))
        assert session.errors[ErrorCode.SLOW_CONSUMER] == 1
        assert outbox.reliable_bytes <= 2 * SMALL["max_outbox_bytes"] + 64_000
        assert session._replay._bytes <= SMALL["max_outbox_bytes"]
        assert grown[0] < BOUND_BYTES
        await until_cut(server, mod)
        await game.settle()
        mod.drop()
    metrics = server.pages["/metrics"]().body.decode()
    assert 'callsheet_errors_total{code="slow_consumer"} 1.0' in metrics


async def test_who_only_looks_on_and_does_not_read_is_told_less_and_stays(
    start_server: StartServer,
) -> None:
    """Updates of the same thing replace each other; past that the oldest are dropped, counted."""
    server = await start_server(limits=SMALL)
    async with Client(server.port) as game, Client(server.port, role="observer") as observer:
        await big_world(game)
        await observer.ask(Subscribe(id=1, topics=("npcs", "stats"), interval_s=0.05), Ok)
        outbox = outbox_of(server, observer)
        observer.socket.transport.pause_reading()
        session = next(s for s in server.sessions if s.role == "observer")
        with grown_bytes() as grown:
            for turn in range(1_000):
                server.subscriptions.update(server.rooms.values(), turn * 0.05)
                if turn % 50 == 0:
                    await asyncio.sleep(0)
        assert not session.keeps_up() or outbox.waiting <= MAX_UNRELIABLE_FRAMES
        assert outbox.waiting < 10, "a newer update takes the place of an older one"
        assert grown[0] < BOUND_BYTES
        observer.socket.transport.resume_reading()
        await observer.settle()
        observer.drop()
        assert not session.errors[ErrorCode.SLOW_CONSUMER]


async def test_one_who_does_not_read_slows_nobody_down(start_server: StartServer) -> None:
    server = await start_server()
    async with Client(server.port) as game, Client(server.port, role="observer") as observer:
        await big_world(game)
        await observer.ask(Subscribe(id=1, topics=ALL, interval_s=0.05), Ok)
        observer.socket.transport.pause_reading()
        for _ in range(20):
            assert (await game.reply(await game.say("npc1"))).finish_reason == "stop"
            await game.send(Explain(id=game.next_id(), npc="npc2"))
        await game.settle()
        observer.drop()
