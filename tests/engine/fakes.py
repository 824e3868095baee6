"""How a test talks to ``fake_sglang.py``."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


async def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait for what happens elsewhere."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Fake:
    """What a test says to a fake SGLang, and what it tells."""

    url: str

    def behave(self, **behaviour: Any) -> None:
        body = json.dumps(behaviour).encode()
        urllib.request.urlopen(f"{self.url}/fake", body, timeout=10).close()

    def seen(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/fake", timeout=10) as answer:
            told: dict[str, Any] = json.loads(answer.read())
            return told
