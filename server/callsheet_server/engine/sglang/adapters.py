"""LoRA adapters of one SGLang or of all replicas: those of the settings, and changes since."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from callsheet_server.engine.engine import AdapterUse, NpcProfile
from callsheet_server.engine.errors import (
    EngineError,
    EngineUnavailableError,
    GenerationError,
    UnknownAdapterError,
)
from callsheet_server.engine.sglang.peer import Peer
from callsheet_sglang.wire import ADAPTERS_PATH

__all__ = ["Adapters", "tell"]

UNLOAD: Final = "/unload_lora_adapter"


class Holder(Protocol):
    """An SGLang that holds adapters."""

    @property
    def name(self) -> str: ...

    async def take_adapter(self, adapter: str, folder: str | None) -> None:
        """Have SGLang load an adapter, or let go of it (None). Raises ``EngineError``."""

    async def renew(self, adapter: str) -> None:
        """Forget what an adapter has computed."""


Holders = Callable[[], Sequence[Holder]]
"""Tells the SGLangs that are there."""


class Adapters:
    """Adapter ids and folders; shared by the replicas of a cluster."""

    def __init__(self, folders: Mapping[str, str]) -> None:
        self._configured = frozenset(folders)
        self.folders = dict(folders)
        self._changes: dict[str, str | None] = {}
        """Adapters that an SGLang that starts anew must be told: folder, or None = removed."""
        self.lock = asyncio.Lock()
        """Held while SGLangs are told; one that comes meanwhile waits for it."""

    def check(self, adapter: str | None) -> None:
        """Raise ``UnknownAdapterError`` unless NPCs may have it; None = the base model."""
        if adapter is not None and adapter not in self.folders:
            known = ", ".join(sorted(self.folders)) or "none; see [sglang] adapters"
            raise UnknownAdapterError(f"adapter {adapter!r} is unknown; known: {known}")

    def in_use(self, profiles: Iterable[NpcProfile]) -> tuple[AdapterUse, ...]:
        """Return the adapters by their ids, with the number of NPCs that have each."""
        npcs = Counter(profile.adapter for profile in profiles)
        return tuple(AdapterUse(a, folder, npcs[a]) for a, folder in sorted(self.folders.items()))

    async def set(self, holders: Holders, adapter: str, folder: str, *, update: bool) -> None:
        """Add or update one, as ``AdaptersChange`` says; ``holders``: SGLangs that are there."""
        async with self.lock:
            if update:
                self.check(adapter)
            elif adapter in self.folders:
                raise EngineError(f"adapter {adapter!r} is there already; update it")
            await self._change(holders(), adapter, folder)

    async def remove(self, holders: Holders, profiles: Iterable[NpcProfile], adapter: str) -> None:
        """Remove one, as ``AdaptersChange`` says; ``profiles``: of all NPCs."""
        async with self.lock:
            self.check(adapter)
            users = [str(profile.key) for profile in profiles if profile.adapter == adapter]
            if users:
                raise EngineError(f"adapter {adapter!r} is that of {users[0]} ({len(users)} NPCs)")
            await self._change(holders(), adapter, None)

    async def catch_up(self, peer: Peer) -> None:
        """Tell an SGLang that has come all changes; the caller holds the lock.

        Raises:
            EngineError: it does not take one.
        """
        for adapter, folder in self._changes.items():
            await tell(peer, adapter, folder)

    async def _change(self, holders: Sequence[Holder], adapter: str, folder: str | None) -> None:
        """Change an adapter on all SGLangs, or on none; ``folder`` None = take it away."""
        told = await asyncio.gather(
            *(holder.take_adapter(adapter, folder) for holder in holders), return_exceptions=True
        )
        pairs = list(zip(holders, told, strict=True))
        failures = [(holder, error) for holder, error in pairs if error is not None]
        if failures:
            before = self.folders.get(adapter)
            undone = (h.take_adapter(adapter, before) for h, error in pairs if error is None)
            await asyncio.gather(*undone, return_exceptions=True)
            holder, error = failures[0]
            if not isinstance(error, EngineError):
                raise error
            kind = type(error) if isinstance(error, EngineUnavailableError) else EngineError
            raise kind(f"{holder.name}: {error}") from error
        if folder is None:
            del self.folders[adapter]
        else:
            self.folders[adapter] = folder
        self._changes[adapter] = folder
        if folder is None and adapter not in self._configured:
            del self._changes[adapter]
        for holder in holders:
            await holder.renew(adapter)


async def tell(peer: Peer, adapter: str, folder: str | None) -> None:
    """Have an SGLang load an adapter, or let go of it (None).

    Raises:
        EngineError: it does not, or cannot.
    """
    if not peer.takes_adapters:
        raise GenerationError(
            "adapters cannot change here: SGLang must be started with Callsheet's plugin and "
            "--enable-lora (a launched one: with an adapter in [sglang] adapters)"
        )
    if folder is None:
        await peer.server.post(UNLOAD, json={"lora_name": adapter})
    else:
        await peer.server.post(ADAPTERS_PATH, json={"name": adapter, "path": folder})
