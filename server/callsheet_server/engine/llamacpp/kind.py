"""llama.cpp as one of several models' engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.settings import EmbeddedSettings
from callsheet_server.engine.engine import Progress
from callsheet_server.engine.llamacpp.engine import LlamaCppEngine
from callsheet_server.engine.llamacpp.loading import weigh
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings, LlamaCppTuning
from callsheet_server.engine.misfits import Misfits

__all__ = ["LlamaCppKind"]


class LlamaCppKind:
    """A ``ModelKind``: each model has a llama.cpp of its own."""

    def __init__(self, settings: LlamaCppSettings, tuning: LlamaCppTuning | None = None) -> None:
        """``tuning``: absent = the usual one."""
        self._settings = settings
        self._tuning = tuning or LlamaCppTuning()

    def engine(
        self, settings: EmbeddedSettings, others: Callable[[Tier], int], misfits: Misfits
    ) -> LlamaCppEngine:
        own = replace(self._settings, local=settings)
        return LlamaCppEngine(own, self._tuning, others=others, misfits=misfits)

    def weigh(self, settings: EmbeddedSettings, report: Callable[[Progress], None]) -> int:
        return weigh(replace(self._settings, local=settings), self._tuning, report)
