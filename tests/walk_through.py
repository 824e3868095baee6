"""The server's side of the walk-throughs, whose games are in C# and in Python.

Its engine is an endpoint that says which of the facts it knows stand in the prompt: what the NPC
remembers.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.openai.endpoints import Answer, Endpoint, chunks

__all__ = ["PLEASE", "knowing", "known", "options", "serving"]

PLEASE = "Please open the north gate."
"""The line after which the NPC opens a gate."""


def known(*facts: str) -> str:
    """Return the words of an NPC whose prompt holds these facts and no others."""
    return f"I know {' and '.join(facts) or 'nothing'}."


def knowing(*facts: str) -> Answer:
    """Answers with the action asked for, or the facts that the prompt holds."""

    def answer(body: dict[str, Any]) -> bytes:
        prompt = "\n".join(str(message["content"]) for message in body["messages"])
        if "response_format" in body:
            wanted = PLEASE in prompt.split("After these words")[-2][-200:]
            _, open_gate = body["response_format"]["json_schema"]["schema"]["anyOf"]
            gates = open_gate["properties"]["arguments"]["properties"]["gate"]["enum"]
            choice = {"action": "open_gate", "arguments": {"gate": gates[0]}}
            return chunks(json.dumps(choice if wanted else {"action": "none"}))
        return chunks(known(*(fact for fact in facts if fact in prompt)))

    return answer


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[None]:
    """Serve the endpoint in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(endpoint.__aenter__(), loop).result()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(endpoint.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def options(endpoint: Endpoint, worlds: Path) -> tuple[str, ...]:
    """Options of a server that asks the endpoint and keeps its worlds."""
    return (
        *("--engine", "openai", "--set", f"openai.url={endpoint.url}"),
        *("--set", "reply.actions=always"),
        *("--set", f"storage.directory={worlds}"),
    )
