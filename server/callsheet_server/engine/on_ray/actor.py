"""One SGLang that Ray places, watches and starts again."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import traceback
from typing import Any, Final

from callsheet_server.engine.sglang.local import launch
from callsheet_server.engine.sglang.settings import SglangSettings

__all__ = ["ReplicaActor"]

STOP_TIMEOUT_S: Final = 5.0
"""Time for SGLang to end by itself when its actor ends it; a killed actor's guard takes as long."""


class ReplicaActor:
    """Launches an SGLang beneath a guard process: neither of the two outlives the other."""

    def __init__(self, settings: dict[str, Any], host: str) -> None:
        """``settings``: of ``SglangSettings``; ``host``: address of this machine to listen on."""
        self._url: str | None = None
        self._host = host
        chosen = SglangSettings.model_validate(settings)
        threading.Thread(target=self._live, args=(chosen,), daemon=True).start()

    def place(self) -> tuple[str | None, int]:
        """Tell where SGLang listens (None = it is being launched), and this process."""
        return self._url, os.getpid()

    def _live(self, settings: SglangSettings) -> None:
        try:
            asyncio.run(self._serve(settings))
        except Exception:
            traceback.print_exc()  # Into the actor's log, which `ray logs` shows.
            sys.stderr.flush()
        finally:
            os._exit(1)  # Ray starts another.

    async def _serve(self, settings: SglangSettings) -> None:
        process, self._url = await launch(settings, STOP_TIMEOUT_S, lambda _: None, host=self._host)
        await process.ended.wait()
