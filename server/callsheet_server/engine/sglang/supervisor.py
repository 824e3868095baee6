"""Supervision of one SGLang: launch or find it, notice its loss, get it back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import (
    EngineError,
    EngineOverloadedError,
    EngineStartError,
    EngineUnavailableError,
    GenerationError,
)
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.on_ray.lookup import name_in, url_of
from callsheet_server.engine.sglang.knock import until_deaf
from callsheet_server.engine.sglang.local import launch
from callsheet_server.engine.sglang.peer import Peer, meet
from callsheet_server.engine.sglang.process import SglangProcess
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.engine.sglang.timing import Timing

__all__ = ["Supervisor"]

logger = logging.getLogger(__name__)

READY_POLL_S = 0.25
FAILED_CHECKS = 2
"""Failed checks in a row, after which SGLang counts as lost."""
RECHECK_S = 0.25
"""Wait after a failed check."""


class Supervisor:
    """Runs ``serve`` for as long as SGLang is there, again and again.

    ``serve(peer)`` never ends by itself; it is cancelled when SGLang is lost.
    """

    def __init__(
        self,
        settings: SglangSettings,
        timing: Timing,
        serve: Callable[[Peer], Coroutine[Any, Any, None]],
        accept: Callable[[Peer], None],
        name: str,
    ) -> None:
        """Supervise nothing yet.

        Args:
            settings: of one SGLang.
            timing: how often to look.
            serve: see above.
            accept: raises ``EngineStartError`` for a peer that must not be served.
            name: of this SGLang, in the log.
        """
        self._settings = settings
        self._timing = timing
        self._serve = serve
        self._accept = accept
        self._name = name
        self._look = asyncio.Event()
        self._process: SglangProcess | None = None
        self._server: ModelServer | None = None
        self._supervising: asyncio.Task[None] | None = None

    async def start(self, report: Callable[[Progress], None]) -> Peer:
        """Bring SGLang up for the first time.

        Raises:
            EngineStartError: it does not come up; the text says why and what to do.
            EngineUnavailableError: nobody answers at the URL.
        """
        try:
            return await self._open(report, patient=False)
        except (EngineUnavailableError, EngineOverloadedError) as error:
            message = f"sglang.urls: {self._settings.url}: {error}"
            raise EngineUnavailableError(message) from error

    def supervise(self, peer: Peer | None) -> None:
        """Serve from now on, with what ``start`` returned; None = try until it is there."""
        self._supervising = asyncio.create_task(self._supervise(peer))

    async def close(self) -> None:
        """Let go of SGLang; end it if it was launched. May be called twice."""
        if self._supervising is not None:
            self._supervising.cancel()
            await asyncio.gather(self._supervising, return_exceptions=True)
            self._supervising = None
        await self._let_go()

    def suspect(self) -> None:
        """Look at once: a request has failed as it would if SGLang were gone."""
        self._look.set()

    # --- one life of SGLang ------------------------------------------------------------------

    async def _supervise(self, peer: Peer | None) -> None:
        loop = asyncio.get_running_loop()
        tries = 0
        while True:
            if peer is None:
                peer, tries = await self._again(tries)
            serving = asyncio.create_task(self._serve(peer))
            since_s = loop.time()
            watching = asyncio.create_task(self._watch(peer))
            try:
                await asyncio.wait((serving, watching), return_when=asyncio.FIRST_COMPLETED)
                if watching.done():
                    logger.error("%s is lost: %s", self._name, watching.result())
                else:
                    logger.error("serving %s failed", self._name, exc_info=serving.exception())
            finally:
                for task in (serving, watching):
                    task.cancel()
                await asyncio.gather(serving, watching, return_exceptions=True)
            await self._let_go()
            if loop.time() - since_s > self._timing.restart_max_s:
                tries = 0
            peer = None

    async def _again(self, tries: int) -> tuple[Peer, int]:
        """Try until SGLang is back; return it and the tries it took, on top of ``tries``."""
        timing = self._timing
        while True:
            pause_s = min(timing.restart_min_s * 2.0 ** min(tries, 30), timing.restart_max_s)
            logger.info("trying again to reach %s in %.1f s", self._name, pause_s)
            await asyncio.sleep(pause_s)
            tries += 1
            try:
                peer = await self._open(lambda _: None, patient=True)
            except EngineError as error:
                logger.error("%s is not back: %s", self._name, error)
                continue
            logger.warning("%s is back (version %s)", self._name, peer.version)
            return peer, tries

    async def _open(self, report: Callable[[Progress], None], *, patient: bool) -> Peer:
        """``patient``: one that is attached to may take its time to listen again."""
        settings, timing = self._settings, self._timing
        try:
            url = settings.url
            if url is None:
                self._process, url = await launch(settings, timing.stop_timeout_s, report)
                patient = True
            else:
                if (name := name_in(url)) is not None:
                    url, patient = await asyncio.to_thread(url_of, name), True
                report(Progress(f"SGLang at {url}", 0, 0, "steps"))
            self._server = ModelServer("SGLang", url, settings.api_key, silence_s=timing.silence_s)
            try:
                async with asyncio.timeout(settings.start_timeout_s):
                    await self._until_ready(self._server, patient)
            except TimeoutError:
                raise EngineStartError(
                    f"sglang: it is not ready after {settings.start_timeout_s:g} s "
                    f"(sglang.start_timeout_s){self._tail()}"
                ) from None
            peer = await meet(self._server, settings.context_limit_tokens)
            self._accept(peer)
            return peer
        except BaseException:
            await self._let_go()
            raise

    async def _until_ready(self, server: ModelServer, patient: bool) -> None:
        while True:
            if self._process is not None and self._process.ended.is_set():
                raise EngineStartError(
                    f"sglang: it ended with status {self._process.exit_status} instead of getting "
                    f"ready{self._tail()}"
                )
            try:
                await server.get("/health", timeout_s=self._timing.health_timeout_s)
                return
            except EngineOverloadedError:
                pass  # 503: it loads.
            except GenerationError:
                return  # No SGLang has no such page: ``meet`` finds out what it is.
            except EngineUnavailableError:
                if not patient:
                    raise
            await asyncio.sleep(READY_POLL_S)

    async def _watch(self, peer: Peer) -> str:
        """Return why SGLang is lost, once it is."""
        signs = [
            asyncio.create_task(sign)
            for sign in (self._until_sick(peer), until_deaf(peer.server.url))
        ]
        try:
            done, _ = await asyncio.wait(signs, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for sign in signs:
                sign.cancel()
            await asyncio.gather(*signs, return_exceptions=True)

    async def _until_sick(self, peer: Peer) -> str:
        """Ask SGLang whether it is well, until it is not; return why."""
        failures, pause_s = 0, self._timing.health_interval_s
        while True:
            if not failures:
                await self._wait(pause_s)
            else:
                await asyncio.sleep(RECHECK_S)
            if self._process is not None and self._process.ended.is_set():
                return f"it ended with status {self._process.exit_status}{self._tail()}"
            self._look.clear()
            try:
                await peer.server.get("/health", timeout_s=self._timing.health_timeout_s)
                failures = 0
            except EngineError as error:
                failures += 1
                if failures == FAILED_CHECKS:
                    return str(error)

    async def _wait(self, timeout_s: float) -> None:
        """Wait until it is time to look, somebody suspects a loss, or the process has ended."""
        signs = [asyncio.create_task(self._look.wait())]
        if self._process is not None:
            signs.append(asyncio.create_task(self._process.ended.wait()))
        try:
            await asyncio.wait(signs, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for sign in signs:
                sign.cancel()

    async def _let_go(self) -> None:
        """Let go of SGLang. May be cancelled, and called again to finish."""
        if self._server is not None:
            await self._server.close()
            self._server = None
        if self._process is not None:
            await self._process.stop()
            self._process = None

    def _tail(self) -> str:
        return "" if self._process is None else f"; it said last:\n{self._process.tail}"
