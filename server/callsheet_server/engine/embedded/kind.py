"""Torch as one of several models' engines."""

from __future__ import annotations

from collections.abc import Callable

from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.engine import EmbeddedEngine
from callsheet_server.engine.embedded.runner import weigh
from callsheet_server.engine.embedded.settings import EmbeddedSettings, EmbeddedTuning
from callsheet_server.engine.engine import Progress
from callsheet_server.engine.misfits import Misfits
from callsheet_server.engine.models.cache import resolve_model

__all__ = ["EmbeddedKind"]


class EmbeddedKind:
    """A ``ModelKind``: all models run in this process."""

    def __init__(self, tuning: EmbeddedTuning | None = None) -> None:
        """``tuning``: absent = the usual one."""
        self._tuning = tuning or EmbeddedTuning()

    def engine(
        self, settings: EmbeddedSettings, others: Callable[[Tier], int], misfits: Misfits
    ) -> EmbeddedEngine:
        return EmbeddedEngine(settings, self._tuning, others=others, misfits=misfits)

    def weigh(self, settings: EmbeddedSettings, report: Callable[[Progress], None]) -> int:
        return weigh(resolve_model(settings.model, report), settings)
