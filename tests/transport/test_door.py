from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from callsheet_server.transport.door import (
    CONNECTIONS_AT_ONCE,
    CONNECTIONS_PER_S,
    LONGEST_PAUSE_S,
    MAX_WAITING,
    MAX_WAITING_PER_ADDRESS,
    SHORT_VISIT_S,
    Door,
    DoorSocket,
)


def test_beyond_its_rate_an_address_has_to_stand_and_then_is_cut() -> None:
    door = Door()

    def let_in() -> float:
        return door.let_in(object(), "a", 0.0, lambda: None)

    pauses_s = [let_in() for _ in range(int(CONNECTIONS_AT_ONCE) + 2)]
    assert pauses_s[-3:] == [0.0, 1 / CONNECTIONS_PER_S, 2 / CONNECTIONS_PER_S]
    standing = 2
    while door.has_room("a", 0.0):
        standing += 1
        assert let_in() <= LONGEST_PAUSE_S + 1 / CONNECTIONS_PER_S
    assert standing == LONGEST_PAUSE_S * CONNECTIONS_PER_S
    assert door.has_room("b", 0.0)
    assert door.has_room("a", 1.0)


def test_a_short_visit_counts_as_two() -> None:
    door = Door()
    for _ in range(int(CONNECTIONS_AT_ONCE) // 2):
        assert door.let_in(object(), "a", 0.0, lambda: None) == 0
        door.stayed("a", SHORT_VISIT_S / 2, 0.0)
        door.stayed("a", SHORT_VISIT_S, 0.0)
    assert door.let_in(object(), "a", 0.0, lambda: None) == 1 / CONNECTIONS_PER_S


def test_only_a_server_behind_a_proxy_takes_connections_of_this_machine_for_others() -> None:
    behind = Door(behind_proxy=True)
    assert [behind.is_proxy(address) for address in ("127.0.0.1", "10.0.0.1")] == [True, False]
    assert not Door().is_proxy("127.0.0.1")


def test_a_door_that_closes_drops_those_who_have_not_shaken_hands() -> None:
    door, gone = Door(), list[int]()
    for number in range(3):
        door.let_in(number, "a", 0.0, lambda number=number: gone.append(number))  # type: ignore[misc]
    door.shook_hands(0)
    door.pass_by(1)
    door.close()
    assert gone == [2]


def test_of_those_who_wait_the_oldest_of_the_same_address_goes() -> None:
    door, gone = Door(), list[int]()
    for number in range(MAX_WAITING_PER_ADDRESS + 2):
        door.wait(number, "a", lambda number=number: gone.append(number))  # type: ignore[misc]
    door.wait("other", "b", lambda: gone.append(-1))
    assert gone == [0, 1]


def test_all_addresses_together_have_room_for_so_many() -> None:
    door, gone = Door(), list[int]()
    for number in range(MAX_WAITING + 1):
        door.wait(number, f"a{number}", lambda number=number: gone.append(number))  # type: ignore[misc]
    assert gone == [0]


def test_who_was_let_in_waits_no_more() -> None:
    door, gone = Door(), list[int]()
    for number in range(5 * MAX_WAITING):
        door.wait(number, "a", lambda: gone.append(0))
        door.pass_by(number)
        door.pass_by(number)
    assert gone == []


class ClosedDoor(Door):
    def has_room(self, address: str, now_s: float) -> bool:
        return False


@pytest.fixture
def listening() -> Iterator[DoorSocket]:
    with DoorSocket(socket.AF_INET, socket.SOCK_STREAM, 0) as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one


def test_one_too_many_is_closed_at_once(listening: DoorSocket) -> None:
    listening.door = ClosedDoor()
    listening.setblocking(False)
    with socket.create_connection(listening.getsockname()) as client:
        with pytest.raises(BlockingIOError):
            listening.accept()
        client.settimeout(60.0)
        assert client.recv(1) == b""


def lowest_free_number() -> int:
    """Return the number that the next file opened will get."""
    with Path(os.devnull).open() as free:
        return free.fileno()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no RLIMIT_NOFILE")
async def test_a_process_without_room_turns_clients_away_and_says_so(
    listening: DoorSocket, caplog: pytest.LogCaptureFixture
) -> None:
    resource = pytest.importorskip("resource")
    caplog.set_level(logging.WARNING)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    clients = [socket.socket() for _ in range(20)]
    server = await asyncio.start_server(lambda _, writer: writer.close(), sock=listening)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free_number(), hard))
    try:
        for client in clients:
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, listening.getsockname())
            assert await asyncio.get_running_loop().sock_recv(client, 1) == b""
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for client in clients:
            client.close()
        server.close()
        await server.wait_closed()
    assert {record.name for record in caplog.records} == {"callsheet_server.transport.door"}
