"""Search for model servers: at an endpoint's URL, and elsewhere on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from callsheet_server.engine.errors import EngineError, GenerationError
from callsheet_server.engine.http import ModelServer, proxy_for
from callsheet_server.engine.openai.settings import OpenAISettings

__all__ = ["LOCAL_SERVERS", "endpoint_of", "is_listed", "listed_models", "local_advice"]

LOCAL_SERVERS: Final[Mapping[str, int]] = {"Ollama": 11434, "LM Studio": 1234}
"""Programs that serve models on a player's machine -> the port each listens on by default."""
LIST_TIMEOUT_S: Final = 10.0
SILENCE_S: Final = 120.0
"""A request is given up if the endpoint sends nothing for so long: models on a laptop think."""
LOCAL_TIMEOUT_S: Final = 1.0


def endpoint_of(settings: OpenAISettings) -> ModelServer:
    """The client of the endpoint that the settings name; to be closed."""
    return ModelServer(
        "the endpoint",
        settings.url,
        settings.api_key,
        silence_s=SILENCE_S,
        proxy=proxy_for(settings.url),
    )


async def listed_models(server: ModelServer, timeout_s: float = LIST_TIMEOUT_S) -> list[str]:
    """The models an endpoint lists.

    Raises:
        EngineError: nobody answers there, or not with a list of models.
    """
    listed = await server.get_json("/models", timeout_s=timeout_s)
    try:
        return [str(entry["id"]) for entry in listed["data"] or ()]
    except (KeyError, TypeError) as error:
        raise GenerationError(f"{server.name} does not list its models") from error


def is_listed(model: str, listed: Sequence[str]) -> bool:
    """Tell whether ``model`` is among those listed, be it without Ollama's default tag."""
    return model in listed or f"{model}:latest" in listed


async def local_advice(servers: Mapping[str, int] = LOCAL_SERVERS) -> str:
    """A sentence that names who serves models on this machine, or who could."""
    found = await asyncio.gather(*(_answers(port) for port in servers.values()))
    here = [
        f"{name} answers at http://127.0.0.1:{port}/v1"
        for (name, port), answers in zip(servers.items(), found, strict=True)
        if answers
    ]
    if here:
        return f"{' and '.join(here)}: set openai.url to that"
    known = " nor ".join(f"{name} (port {port})" for name, port in servers.items())
    return f"neither {known} answers on this machine: start one, or set openai.url"


async def _answers(port: int) -> bool:
    server = ModelServer("", f"http://127.0.0.1:{port}/v1")
    try:
        await listed_models(server, LOCAL_TIMEOUT_S)
    except EngineError:
        return False
    finally:
        await server.close()
    return True
