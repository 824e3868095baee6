"""Engines generate text for NPCs. Importing this package imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callsheet_server.engine.engine import Engine
    from callsheet_server.engine.settings import EngineSettings

__all__ = ["create_engine"]


def create_engine(settings: EngineSettings) -> Engine:
    """Make the engine that ``settings.name`` asks for; its libraries are imported here.

    Raises:
        EngineStartError: what it needs is not installed.
    """
    if settings.name == "scripted":
        from callsheet_server.engine.scripted import ScriptedEngine

        return ScriptedEngine(settings.scripted)
    try:
        from callsheet_server.engine.embedded.engine import EmbeddedEngine
    except ImportError as error:
        from callsheet_server.engine.errors import EngineStartError

        raise EngineStartError(
            f"engine 'embedded' needs {error.name}; run: pip install 'callsheet[server]'"
        ) from error
    return EmbeddedEngine(settings.embedded)
