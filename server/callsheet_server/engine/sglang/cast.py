"""Everybody the engine may have to speak as: profiles, prompt prefixes, SGLang's numbers for them.

Tokenising runs in the thread of ``Prompts``; arrays and dicts belong to the event loop.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from callsheet_server.engine.engine import GenerationRequest, NpcProfile
from callsheet_server.engine.errors import EngineError, UnknownNpcError
from callsheet_server.engine.profiles import of_world
from callsheet_server.engine.prompt import NpcPrefix
from callsheet_server.engine.sglang.handles import Handles
from callsheet_server.engine.sglang.prompts import Prompts
from callsheet_server.world.key import NpcKey

__all__ = ["Cast"]

logger = logging.getLogger(__name__)

GROWTH = 64
BATCH = 8
"""Prefixes tokenised at a stretch: a request's prompt waits no longer than that."""


class Cast:
    """The NPCs of all worlds."""

    def __init__(self, prompts: Prompts) -> None:
        self.handles = Handles()
        self.profiles: dict[NpcKey, NpcProfile] = {}
        self._lore: dict[str, str] = {}
        self._prompts = prompts
        self._prefixes: dict[NpcKey, NpcPrefix] = {}
        self._stale: dict[NpcKey, None] = {}
        """NPCs whose prefix is to be tokenised, in order."""
        self.prefix_tokens = np.zeros(GROWTH, np.int64)
        """(capacity,) int64, by handle: an NPC's own part of its prefix, without what its world
        shares; 0 = not known yet, or of one that cannot speak."""
        self._tokenising: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Stop tokenising."""
        if self._tokenising is not None:
            self._tokenising.cancel()

    def begin(self) -> None:
        """Tokenise everybody from here on: the prompt builder is loaded."""
        self._void(self.profiles)

    # --- who there is ------------------------------------------------------------------------

    def set_lore(
        self, world: str, text: str, voided: Callable[[list[int]], None]
    ) -> Iterator[None]:
        """Change what a world's NPCs share, one a step.

        ``voided`` is told the handles of those whose prefix is new.
        """
        if self._lore.get(world, "") == text:
            return iter(())
        self._lore[world] = text

        def void(profile: NpcProfile) -> None:
            voided(self._void([profile.key]))

        return of_world(self.profiles, world, void)

    def put(self, profile: NpcProfile) -> tuple[int, bool]:
        """Announce an NPC; return its handle, and whether its prefix is a new one."""
        handle = self.handles.take(profile.key)
        if handle >= len(self.prefix_tokens):
            room = max(handle + 1, 2 * len(self.prefix_tokens)) - len(self.prefix_tokens)
            self.prefix_tokens = np.pad(self.prefix_tokens, (0, room))
        if self.profiles.get(profile.key) == profile:
            return handle, False
        self.profiles[profile.key] = profile
        self._void([profile.key])
        return handle, True

    def drop(self, key: NpcKey) -> int | None:
        """Forget an NPC; return the handle it had."""
        self.profiles.pop(key, None)
        self._prefixes.pop(key, None)
        self._stale.pop(key, None)
        handle = self.handles.drop(key)
        if handle is not None:
            self.prefix_tokens[handle] = 0
        return handle

    def forget_world(self, world: str) -> None:
        """Forget a world whose NPCs are gone."""
        self._lore.pop(world, None)
        self.handles.forget_world(world)

    # --- prompts -----------------------------------------------------------------------------

    @property
    def begins_in_thought(self) -> bool | None:
        """True = prompts open a thought; None before ``begin``."""
        builder = self._prompts.builder
        return None if builder is None else builder.begins_in_thought

    def prefix(self, key: NpcKey) -> tuple[int, ...] | None:
        """The tokens that begin every prompt of an NPC; None = not tokenised yet."""
        prefix = self._prefixes.get(key)
        return None if prefix is None else (*prefix.world, *prefix.persona)

    async def prompt(self, request: GenerationRequest) -> tuple[tuple[int, ...], int]:
        """The tokens of a request, and how many of them are the NPC's prefix.

        Raises:
            UnknownNpcError, ContextTooLongError: as their names say.
        """
        profile, builder = self.profiles.get(request.npc), self._prompts.builder
        if profile is None or builder is None:
            raise UnknownNpcError(f"{request.npc} was not announced")
        lore = self._lore.get(request.npc.world, "")
        known = self._prefixes.get(request.npc)

        def build() -> tuple[NpcPrefix, tuple[int, ...]]:
            prefix = known or builder.prefix(lore, profile, profile.adapter or "")
            return prefix, builder.prompt(prefix, request)

        prefix, tokens = await self._prompts.run(build)
        return tokens, len(prefix.world) + len(prefix.persona)

    def _void(self, keys: Iterable[NpcKey]) -> list[int]:
        """Note that these have a new prefix; return their handles."""
        handles = []
        for key in keys:
            self._prefixes.pop(key, None)
            self._stale[key] = None
            handle = self.handles.get(key)
            assert handle is not None, f"{key} has a profile and no handle"
            self.prefix_tokens[handle] = 0
            handles.append(handle)
        if self._stale and self._prompts.builder is not None and self._tokenising is None:
            self._tokenising = asyncio.get_running_loop().create_task(self._tokenise())
        return handles

    async def _tokenise(self) -> None:
        """Tokenise until nobody's prefix is stale."""
        builder = self._prompts.builder
        assert builder is not None
        try:
            while self._stale:
                batch = [
                    (self.profiles[key], self._lore.get(key.world, ""))
                    for key in itertools.islice(self._stale, BATCH)
                ]
                for profile, _ in batch:
                    del self._stale[profile.key]

                def build(batch: list[tuple[NpcProfile, str]] = batch) -> list[NpcPrefix]:
                    return [builder.prefix(lore, p, p.adapter or "") for p, lore in batch]

                built = await self._prompts.run(build)
                for (profile, lore), prefix in zip(batch, built, strict=True):
                    key = profile.key
                    if self.profiles.get(key) != profile or self._lore.get(key.world, "") != lore:
                        continue  # It changed meanwhile, and is stale again or gone.
                    handle = self.handles.get(key)
                    self._prefixes[key] = prefix
                    tokens = len(prefix.world) + len(prefix.persona)
                    if not self._prompts.is_misfit(key, tokens):
                        self.prefix_tokens[handle] = len(prefix.persona)
        except EngineError:
            logger.exception("prefixes could not be tokenised")
        finally:
            self._tokenising = None

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        self.handles.check_integrity()
        assert {key for key, _ in self.handles} == set(self.profiles), "handles and profiles differ"
        assert set(self._prefixes) <= set(self.profiles), "a prefix is kept of one who is gone"
