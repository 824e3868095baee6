"""The engine ``sglang``: an SGLang server behind the ``Engine`` protocol."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.state import StateStore, StateView
from callsheet_server.engine.calls import Calls
from callsheet_server.engine.engine import (
    AdapterUse,
    Delta,
    DoneMove,
    EngineInfo,
    GenerationEnd,
    GenerationRequest,
    NpcProfile,
    Occupancy,
    Progress,
)
from callsheet_server.engine.errors import (
    EngineError,
    EngineStartError,
    EngineUnavailableError,
    GenerationError,
    RequestRefusedError,
    UnknownNpcError,
)
from callsheet_server.engine.misfits import Misfits
from callsheet_server.engine.sglang.adapters import Adapters, tell
from callsheet_server.engine.sglang.cast import Cast
from callsheet_server.engine.sglang.generate import Prompt, abort, generate, warm
from callsheet_server.engine.sglang.peer import Peer
from callsheet_server.engine.sglang.plugin_sync import PluginSync
from callsheet_server.engine.sglang.prompts import Prompts
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.engine.sglang.supervisor import Supervisor
from callsheet_server.engine.sglang.timing import Timing
from callsheet_server.engine.sglang.warm import Warmer
from callsheet_server.world.key import NpcKey

__all__ = ["SglangEngine", "is_sick"]

logger = logging.getLogger(__name__)

RENEWED_AT_ONCE: Final = 100
"""NPCs that are announced anew at a stretch: about a millisecond."""


def is_sick(error: EngineError) -> bool:
    """Tell whether a failure says more of SGLang than of the request."""
    return isinstance(error, EngineUnavailableError | GenerationError) and not isinstance(
        error, RequestRefusedError
    )


class SglangEngine:
    """Implements ``Engine``. SGLang plans for itself; it is told how soon NPCs will call."""

    def __init__(
        self,
        settings: SglangSettings,
        timing: Timing | None = None,
        *,
        name: str = "SGLang",
        prompts: Prompts | None = None,
        adapters: Adapters | None = None,
        accept: Callable[[Peer], None] = lambda _: None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the engine; nothing is started.

        Args:
            settings: of one SGLang: ``replicas`` and further ``urls`` are not looked at.
            timing: absent = the usual one.
            name: of this SGLang, in the log.
            prompts: those of a cluster's replicas, loaded and closed by their owner; absent = its
                own.
            adapters: those of a cluster; absent = its own.
            accept: raises ``EngineStartError`` for an SGLang that must not be served.
            changed: called when SGLang is lost, and when it is back.
        """
        timing = timing or Timing()
        self._settings = settings
        self.name = name
        self._adapters = adapters or Adapters(settings.adapters)
        self._changed = changed
        self._prompts = prompts or Prompts()
        self._owns_prompts = prompts is None
        self._cast = Cast(self._prompts)
        self._calls = Calls(settings.max_open)
        self._plugin_sync = PluginSync(timing, self._cast)
        self._warmer = Warmer(timing, self._cast, self._plugin_sync, self._calls, self._send_warm)
        self._supervisor = Supervisor(settings, timing, self._serve, accept, name)
        self._info: EngineInfo | None = None
        self._peer: Peer | None = None
        """None = not started, closed, or SGLang is lost."""
        self._closed = False
        self._rids = itertools.count()
        self._rid_prefix = secrets.token_hex(4)
        self._errands: set[asyncio.Task[None]] = set()

    @property
    def info(self) -> EngineInfo:
        if self._info is None:
            raise EngineUnavailableError("the engine is not started")
        return self._info

    @property
    def stores(self) -> Sequence[StateStore]:
        return ()

    @property
    def prefixes(self) -> StateView | None:
        return self._plugin_sync.residency if self.info.keeps_residency else None

    @property
    def adapters(self) -> frozenset[str]:
        return frozenset(self._adapters.folders)

    @property
    def misfits(self) -> Misfits:
        return self._prompts.misfits

    # --- life --------------------------------------------------------------------------------

    async def start(self, report: Callable[[Progress], None]) -> None:
        if self._closed:
            raise EngineUnavailableError("the engine was closed; make a new one")
        try:
            peer = await self.meet(report)
        except EngineUnavailableError as error:
            raise EngineStartError(str(error)) from error
        try:
            tokenizer = self._settings.tokenizer or peer.tokenizer
            await self._prompts.load(tokenizer, peer.context_limit_tokens)
        except BaseException:
            await self._supervisor.close()
            raise
        self.begin(peer)

    async def meet(self, report: Callable[[Progress], None]) -> Peer:
        """Reach SGLang, or launch it: the first half of ``start``.

        Raises:
            EngineStartError: it does not come up; the text says why and what to do.
            EngineUnavailableError: nobody answers at the URL.
        """
        return await self._supervisor.start(report)

    def begin(self, peer: Peer | None) -> None:
        """Serve, with ``Prompts`` loaded: the second half of ``start``.

        ``peer``: as ``meet`` returned it; None = it is not there yet, and tried until it is.
        """
        self._cast.begin()
        if peer is not None:
            self._met(peer)
        self._supervisor.supervise(peer)

    async def close(self) -> None:
        self._closed, self._peer = True, None
        self._calls.cancel_all()
        await asyncio.gather(*self._errands, return_exceptions=True)
        await self._supervisor.close()
        self._cast.close()
        if self._owns_prompts:
            self._prompts.close()

    def _met(self, peer: Peer) -> None:
        if peer.plugin is None:
            logger.warning(
                "%s runs without Callsheet's plugin: it knows no distances, and where prefixes "
                "lie is not known",
                self.name,
            )
        self._info = EngineInfo(
            name="sglang",
            version=f"sglang {peer.version}, plugin {peer.plugin or 'absent'}",
            model=peer.model,
            device=peer.device,
            context_limit_tokens=peer.context_limit_tokens,
            keeps_residency=peer.plugin is not None,
            begins_in_thought=self._cast.begins_in_thought,
        )
        self._peer = peer

    async def _serve(self, peer: Peer) -> None:
        """Serve requests while SGLang is there."""
        if peer is not self._peer:
            async with self._adapters.lock:
                await self._adapters.catch_up(peer)
                self._met(peer)
            self._changed()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._plugin_sync.run(peer, self._supervisor.suspect))
                tasks.create_task(self._warmer.run(peer))
        finally:
            self._peer = None
            self._calls.fail_all("the connection to SGLang was lost")
            if not self._closed:
                self._changed()

    # --- for a cluster -----------------------------------------------------------------------

    @property
    def serving(self) -> bool:
        """True while SGLang is there."""
        return self._peer is not None

    @property
    def residency(self) -> StateView:
        """Tiers of the prefixes, as reported last; ABSENT while SGLang is lost."""
        return self._plugin_sync.residency

    def busy(self) -> set[NpcKey]:
        """NPCs with a request under way."""
        return self._calls.npcs()

    @property
    def profiles(self) -> Mapping[NpcKey, NpcProfile]:
        return self._cast.profiles

    def distance_s(self, key: NpcKey) -> float:
        """Seconds to an announced NPC's next call; +inf = none is expected."""
        handle = self._cast.handles.take(key)
        return float(self._plugin_sync.distances.true_s[handle])

    def take_over(self, profile: NpcProfile, distance_s: float) -> None:
        """Announce an NPC that was elsewhere, whose next call is that near."""
        self.put_npc(profile)
        handle = self._cast.handles.take(profile.key)
        self._plugin_sync.distances.note(
            np.array([handle], np.intp), np.array([distance_s], np.float32)
        )

    def soonest(self, most: int) -> tuple[NpcKey, ...]:
        """NPCs of whom a call is expected, soonest first."""
        distance_s = self._plugin_sync.distances.true_s
        due = np.flatnonzero(np.isfinite(distance_s))
        if len(due) > most:
            due = due[np.argpartition(distance_s[due], most)[:most]]
        keys = map(self._cast.handles.key, due[np.argsort(distance_s[due])].tolist())
        return tuple(key for key in keys if key is not None)

    def npcs_soonest_first(self) -> list[NpcKey]:
        """Everybody announced, in order of their distance."""
        return sorted(self._cast.profiles, key=self.distance_s)

    # --- who there is ------------------------------------------------------------------------

    def set_world_prefix(self, world: str, text: str) -> Iterator[None]:
        return self._cast.set_lore(world, text, self._warmer.void)

    def put_npc(self, profile: NpcProfile) -> None:
        """Announce an NPC, as the protocol says.

        Raises:
            UnknownAdapterError: the profile names an adapter that is not there.
        """
        self._adapters.check(profile.adapter)
        handle, changed = self._cast.put(profile)
        self._plugin_sync.put(handle, profile.adapter)
        if changed:
            self._warmer.void([handle])

    def forget_npc(self, key: NpcKey) -> None:
        self._calls.cancel_npc(key)
        self._prompts.misfits.forget(key)
        self.release_npc(key)

    def release_npc(self, key: NpcKey) -> None:
        """Drop an NPC that lives on elsewhere: its requests end by themselves."""
        handle = self._cast.drop(key)
        if handle is not None:
            self._warmer.void([handle])
            self._plugin_sync.forget(handle)

    def forget_world(self, world: str) -> None:
        for key in [key for key in self._cast.profiles if key.world == world]:
            self.forget_npc(key)
        self._cast.forget_world(world)

    def publish(self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]) -> None:
        rows, handles = self._cast.handles.rows(world, npcs)
        self._plugin_sync.distances.note(handles, distance_s[rows])

    # --- adapters ----------------------------------------------------------------------------

    def adapters_in_use(self) -> tuple[AdapterUse, ...]:
        return self._adapters.in_use(self.profiles.values())

    async def set_adapter(self, adapter: str, folder: str, *, update: bool) -> None:
        await self._adapters.set(lambda: [self], adapter, folder, update=update)

    async def remove_adapter(self, adapter: str) -> None:
        await self._adapters.remove(lambda: [self], self.profiles.values(), adapter)

    async def take_adapter(self, adapter: str, folder: str | None) -> None:
        """Have SGLang load an adapter, or let go of it (None). Raises ``EngineError``."""
        await tell(self._need_peer(), adapter, folder)

    async def renew(self, adapter: str) -> None:
        """Announce an adapter's NPCs anew: nothing that it has computed so far counts."""
        theirs = [profile for profile in self.profiles.values() if profile.adapter == adapter]
        for number, profile in enumerate(theirs, start=1):
            if self.profiles.get(profile.key) is profile:
                distance_s = self.distance_s(profile.key)
                self.release_npc(profile.key)
                self.take_over(profile, distance_s)
            if number % RENEWED_AT_ONCE == 0:
                await asyncio.sleep(0)

    # --- requests ----------------------------------------------------------------------------

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        peer = self._need_peer()
        if (profile := self.profiles.get(request.npc)) is None:
            raise UnknownNpcError(f"{request.npc} was not announced")
        handle = self._cast.handles.take(request.npc)
        with self._calls.open(request) as call:
            tokens, prefix_tokens = await self._cast.prompt(request)
            sender = self._plugin_sync.sender(peer)
            prompt = Prompt(self._rid(), handle, tokens, prefix_tokens, profile.adapter, sender)
            over = False
            """At SGLang, too."""
            try:
                async with aclosing(generate(peer, prompt, call)) as items:
                    while isinstance(item := await anext(items), Delta):
                        yield item
                over = not (call.cancelled or call.text.stopped)
            except EngineError as error:
                over = True
                if is_sick(error):
                    self._supervisor.suspect()
                raise
            finally:
                if not over:
                    self._run(abort(peer, prompt.rid))
        self._warmer.built(handle)
        self._note(item)
        yield item

    def cancel(self, request_id: str) -> bool:
        return self._calls.cancel(request_id)

    def take_moves(self) -> Sequence[DoneMove]:
        moves = tuple(self._plugin_sync.moves)
        self._plugin_sync.moves.clear()
        return moves

    def occupancy(self) -> Occupancy:
        return Occupancy(
            tiers=self._plugin_sync.tier_use(),
            running=self._calls.running,
            queued=self._calls.waiting,
        )

    def check_integrity(self) -> None:
        self._cast.check_integrity()

    def _need_peer(self) -> Peer:
        if (peer := self._peer) is None:
            raise EngineUnavailableError("SGLang is not running; it is being started again")
        return peer

    def _rid(self) -> str:
        """Make a request id. All are of one length, so that none is the beginning of another."""
        return f"callsheet-{self._rid_prefix}-{next(self._rids):012d}"

    async def _send_warm(self, peer: Peer, key: NpcKey, tokens: Sequence[int]) -> None:
        profile, handle = self._cast.profiles[key], self._cast.handles.take(key)
        sender = self._plugin_sync.sender(peer)
        prompt = Prompt(self._rid(), handle, tokens, len(tokens), profile.adapter, sender)
        await warm(peer, prompt)

    def _note(self, end: GenerationEnd) -> None:
        """Learn how fast prefixes are computed."""
        computed = end.prompt_tokens - end.cached_tokens
        took_s = end.ttft_s - end.queue_s
        if computed >= 64 and 0 < took_s < math.inf:
            residency, rate = self._plugin_sync.residency, computed / took_s
            known = residency.prefill_tokens_per_s or rate
            residency.prefill_tokens_per_s = known + 0.1 * (rate - known)

    def _run(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
