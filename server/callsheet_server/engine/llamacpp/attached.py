"""A llama-server that somebody else runs: found by URL, watched, never started or ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from callsheet_server.engine.errors import EngineError, EngineStartError
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.models.gguf_file import GgufFile

__all__ = ["AttachedServer", "Slots", "connect", "is_url", "look_at", "without_key"]

WATCH_S: Final = 1.0
LOST_AFTER: Final = 2
"""Health checks in a row that fail, before it counts as lost."""
TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Slots:
    """Room that a llama-server was started with."""

    count: int
    tokens: int
    """Context of each."""


class AttachedServer:
    """Stands where the child process stands for a llama.cpp of ours."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server
        self.devices: list[str] = []
        """Not known: it does not say."""
        self.last_words = "it does not answer"
        self.ended: asyncio.Task[object] = asyncio.create_task(self._watch())
        """Done when it is lost."""

    async def stop(self) -> None:
        """Look no longer; it runs on."""
        self.ended.cancel()
        await asyncio.gather(self.ended, return_exceptions=True)

    async def _watch(self) -> None:
        failed = 0
        while failed < LOST_AFTER:
            await asyncio.sleep(WATCH_S)
            try:
                await self._server.get("/health", timeout_s=TIMEOUT_S)
                failed = 0
            except EngineError as error:
                failed, self.last_words = failed + 1, str(error)


def is_url(server: str) -> bool:
    """Whether a llama-server is named by URL, not by path."""
    return server.startswith(("http://", "https://"))


def without_key(url: str) -> str:
    """The URL as it may be shown."""
    return _split(url)[0]


def connect(url: str) -> tuple[ModelServer, str, str]:
    """Make a client of the server at ``url``, ``http://:KEY@HOST:PORT``; nothing is connected.

    Returns:
        The client, the URL without the key, and the key.
    """
    place, key = _split(url)
    secret = SecretStr(key) if key else None
    return ModelServer("llama.cpp", place, secret, keep_alive=False), place, key


async def look_at(url: str, model: GgufFile) -> Slots:
    """Ask a server for its slots.

    Raises:
        EngineStartError: it does not answer, or runs another model.
    """
    server, place, _ = connect(url)
    try:
        facts = await server.get_json("/props", timeout_s=TIMEOUT_S)
        slots = Slots(int(facts["total_slots"]), int(facts["default_generation_settings"]["n_ctx"]))
        template = str(facts.get("chat_template") or model.chat_template)
    except (EngineError, KeyError, TypeError, ValueError) as error:
        raise EngineStartError(f"engine.llama_server: {place}: no llama-server: {error}") from error
    finally:
        await server.close()
    if template.strip() != model.chat_template.strip():
        raise EngineStartError(
            f"engine.llama_server: {place} runs another model than {model.path.name}; set "
            "embedded.model to a copy of the file that it runs"
        )
    return slots


def _split(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, "", "", "")), parts.password or ""
