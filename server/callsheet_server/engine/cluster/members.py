"""Replicas of a cluster as the settings name them, and the rule that all must be alike."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models.cache import cache_dir
from callsheet_server.engine.on_ray.lookup import SCHEME, replicas
from callsheet_server.engine.sglang.local import device_of
from callsheet_server.engine.sglang.peer import Peer
from callsheet_server.engine.sglang.settings import SglangSettings

__all__ = ["Family", "members"]


def members(settings: SglangSettings) -> dict[str, SglangSettings]:
    """Name -> settings of each replica; names are what people call them.

    Raises:
        EngineStartError: Ray is to name them, and does not.
    """
    if settings.on_ray:
        return {
            name: settings.model_copy(update={"urls": (f"{SCHEME}{name}",)}) for name in replicas()
        }
    if settings.urls:
        return {
            urlsplit(url).netloc: settings.model_copy(update={"urls": (url,)})
            for url in settings.urls
        }
    return {
        f"local-{number}": settings.model_copy(update=_local(settings, number))
        for number in range(settings.replicas)
    }


def _local(settings: SglangSettings, number: int) -> dict[str, object]:
    log = settings.log_file or cache_dir() / "sglang.log"
    gpu = ("--base-gpu-id", str(number)) if device_of(settings) == "cuda" else ()
    return {
        "replicas": 1,
        "port": settings.port + number if settings.port else 0,
        "log_file": Path(log).with_stem(f"{log.stem}-{number}"),
        "arguments": (*settings.arguments, *gpu),
    }


class Family:
    """Rule that all replicas are what the first one is."""

    def __init__(self) -> None:
        self._first: tuple[str, Peer] | None = None
        self.context_limit_tokens = 0
        """Of the prompts that are built; 0 = none is yet."""

    def accept(self, name: str, peer: Peer) -> None:
        """Let a replica in.

        Raises:
            EngineStartError: it is not like the first one, or has no plugin.
        """
        if peer.plugin is None:
            raise EngineStartError(
                f"sglang.urls: {name} runs without Callsheet's plugin, and a cluster needs it; "
                "start it with CALLSHEET_SGLANG=1 in its environment and "
                "--radix-cache-backend callsheet"
            )
        first_name, first = self._first = self._first or (name, peer)
        for what, one, other in (
            ("serves the model", peer.model, first.model),
            ("is SGLang", peer.version, first.version),
            ("has the plugin", peer.plugin, first.plugin),
        ):
            if one != other:
                raise EngineStartError(
                    f"sglang.urls: {name} {what} {one}, {first_name} {other}; "
                    "the replicas of a cluster must be alike"
                )
        if peer.context_limit_tokens < self.context_limit_tokens:
            raise EngineStartError(
                f"sglang.urls: {name} takes {peer.context_limit_tokens} tokens, the others "
                f"{self.context_limit_tokens}; start it with as much memory, or restart Callsheet"
            )
