"""A server whose port is deaf is gone, and one that is busy is not."""

from __future__ import annotations

import asyncio
import socket

import pytest
from ports import free_port

from callsheet_server.engine.sglang.knock import until_deaf


async def test_a_port_that_refuses_is_deaf() -> None:
    async with asyncio.timeout(30.0):
        assert "nobody listens" in await until_deaf(f"http://127.0.0.1:{free_port()}", 0.0)


async def test_one_who_is_too_busy_to_answer_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        knocking = asyncio.create_task(until_deaf(url, 0.01))
        loop = asyncio.get_running_loop()
        for _ in range(5):
            taken, _ = await loop.sock_accept(listening)
            taken.close()
        assert not knocking.done()
    async with asyncio.timeout(30.0):
        assert "nobody listens" in await knocking


@pytest.mark.parametrize("url", ["http://[::1]:1", "https://localhost:1/v1"])
async def test_any_url_may_be_knocked_at(url: str) -> None:
    async with asyncio.timeout(30.0):
        assert ":1 any more" in await until_deaf(url, 0.0)
