"""Engines generate text for NPCs. Importing this package imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callsheet_server.engine.engine import Engine
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings

if TYPE_CHECKING:
    from callsheet_server.engine.embedded.settings import EmbeddedSettings

__all__ = ["create_engine"]


def create_engine(name: str, embedded: EmbeddedSettings, scripted: ScriptedSettings) -> Engine:
    """Make the engine called ``name``; its libraries are imported here, its model is not loaded.

    Raises:
        EngineStartError: what it needs is not installed.
    """
    if name == "scripted":
        return ScriptedEngine(scripted)
    try:
        from callsheet_server.engine.embedded.engine import EmbeddedEngine
    except ImportError as error:
        raise EngineStartError(
            f"engine 'embedded' needs {error.name}; run: pip install 'callsheet[server]'"
        ) from error
    return EmbeddedEngine(embedded)
