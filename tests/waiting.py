"""The one deadline of the tests: a guard against hanging, never a measure of speed.

Tests wait for events. A coroutine test needs no timeout of its own: ``conftest.py`` cancels it at
its deadline, where it waits, so that everything it opened is closed. Threads and processes cannot
be cancelled: waits for them take ``PATIENCE_S``.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

PATIENCE_S = float(os.environ.get("TEST_PATIENCE_S", "180"))
"""Longest wait of a test for an event; ``pytest.mark.timeout`` gives one test another."""


async def until(condition: Callable[[], object]) -> None:
    """Wait for what nothing announces."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def until_in_thread(condition: Callable[[], object]) -> None:
    """Wait, without an event loop, for what nothing announces."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_s, "it did not come"
        time.sleep(0.01)
