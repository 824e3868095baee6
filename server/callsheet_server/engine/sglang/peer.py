"""The SGLang at the other end: what it is, what it can, and whether we understand each other."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from callsheet_server.engine.engine import Priority
from callsheet_server.engine.errors import (
    EngineError,
    EngineStartError,
    EngineUnavailableError,
    GenerationError,
)
from callsheet_server.engine.http import ModelServer
from callsheet_sglang.targets import SUPPORTED
from callsheet_sglang.wire import SENDER_VERSION, STATUS_PATH

__all__ = ["SUPPORTED_VERSIONS", "Peer", "meet"]

logger = logging.getLogger(__name__)

SUPPORTED_VERSIONS: Final = SpecifierSet(
    ",".join(
        sign + ".".join(map(str, bound)) for sign, bound in zip((">=", "<"), SUPPORTED, strict=True)
    )
)
"""Versions of SGLang whose routes and insides are known."""
WARM_PRIORITY: Final = len(Priority)
"""Priority of warming, below every request's."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A running SGLang."""

    server: ModelServer
    version: str
    model: str
    tokenizer: str
    """Folder or hub id."""
    device: str
    context_limit_tokens: int
    pool_tokens: int
    """KV that fits, device and host together."""
    page_tokens: int
    smallest_first: bool | None
    """Of two priorities; None = it does not order requests by priority."""
    sends_deltas: bool
    """True: each event has the text since the last one; False: all text so far."""
    plugin: str | None
    """Version of Callsheet's plugin; None = it is not there."""
    takes_senders: bool = False
    """True: the plugin tells several servers apart by the number each gives itself."""
    takes_adapters: bool = False
    """True: LoRA adapters may come, change and go while it runs."""

    def priority(self, priority: int) -> int | None:
        """Our priority (0 = first) in SGLang's terms; None = send none."""
        if self.smallest_first is None:
            return None
        return priority if self.smallest_first else -priority


async def meet(server: ModelServer, context_limit_tokens: int) -> Peer:
    """Ask a running SGLang what it is.

    Args:
        server: it.
        context_limit_tokens: ours; SGLang's wins if it is smaller.

    Raises:
        EngineStartError: it is no SGLang, of a version we do not know, or refuses the API key.
        EngineUnavailableError: it has gone.
    """
    try:
        info: dict[str, Any] = await server.get_json("/server_info")
        model: dict[str, Any] = await server.get_json("/model_info")
        version = _supported(server.url, info)
        limits = [
            info.get("max_req_input_len"),
            info.get("context_length"),
            info.get("max_total_num_tokens"),
        ]
        pool_tokens = int(info["max_total_num_tokens"])
        plugin, wire_version = await _plugin(server)
        host_ratio = float(info["hicache_ratio"] or 0) if info["enable_hierarchical_cache"] else 0.0
        return Peer(
            server=server,
            version=version,
            model=str(model["served_model_name"]),
            tokenizer=str(model["tokenizer_path"]),
            device=str(info["device"]),
            context_limit_tokens=min(context_limit_tokens, *(int(n) for n in limits if n)),
            pool_tokens=int(pool_tokens * max(1.0, host_ratio)),
            page_tokens=int(info["page_size"] or 1),
            smallest_first=(
                bool(info["schedule_low_priority_values_first"])
                if info["enable_priority_scheduling"]
                else None
            ),
            sends_deltas=bool(info["incremental_streaming_output"]),
            plugin=plugin,
            takes_senders=wire_version >= SENDER_VERSION,
            takes_adapters=plugin is not None and bool(info.get("enable_lora")),
        )
    except (GenerationError, KeyError, TypeError, AttributeError) as error:
        if await _is_callsheet(server):
            raise EngineStartError(
                f"sglang.urls: {server.url} is a Callsheet server; give the address of its SGLang"
            ) from error
        raise EngineStartError(
            f"sglang: what answers at {server.url} is no SGLang {SUPPORTED_VERSIONS} ({error}); "
            "check the URL, or use engine 'openai' for other servers"
        ) from error
    except EngineUnavailableError as error:
        if "API key" in str(error):
            raise EngineStartError(f"{error}; set sglang.api_key") from error
        raise


def _supported(url: str, info: dict[str, Any]) -> str:
    text = str(info["version"])
    try:
        known = Version(text).release and Version(Version(text).base_version) in SUPPORTED_VERSIONS
    except InvalidVersion:
        known = False
    if not known:
        raise EngineStartError(
            f"sglang: the SGLang at {url} has version {text}; supported: {SUPPORTED_VERSIONS}. "
            "Install one of these (pip install 'callsheet[sglang]'), or use engine 'openai', which "
            "needs no particular version"
        )
    return text


async def _is_callsheet(server: ModelServer) -> bool:
    try:
        return b"<title>Callsheet</title>" in await server.get("/")
    except EngineError:
        return False


async def _plugin(server: ModelServer) -> tuple[str | None, int]:
    """The plugin's version and the newest distance updates that it reads."""
    try:
        status = await server.get_json(STATUS_PATH)
    except EngineUnavailableError:
        raise
    except EngineError:
        return None, 0
    return str(status["plugin_version"]), int(status.get("wire_version", 1))
