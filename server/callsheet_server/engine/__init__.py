"""Engines generate text for NPCs. Importing this package imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from callsheet_server.engine.embedded.settings import EmbeddedSettings
    from callsheet_server.engine.engine import Engine
    from callsheet_server.engine.scripted import ScriptedSettings

__all__ = ["create_engine"]


def create_engine(
    name: Literal["embedded", "scripted"], *, embedded: EmbeddedSettings, scripted: ScriptedSettings
) -> Engine:
    """Make the engine called ``name``; the libraries it needs are imported here.

    Raises:
        EngineStartError: what it needs is not installed.
    """
    if name == "scripted":
        from callsheet_server.engine.scripted import ScriptedEngine

        return ScriptedEngine(scripted)
    try:
        from callsheet_server.engine.embedded.engine import EmbeddedEngine
    except ModuleNotFoundError as error:
        from callsheet_server.engine.errors import EngineStartError

        raise EngineStartError(
            f"engine.name = 'embedded' needs {error.name}: pip install \"callsheet[server]\""
        ) from error
    return EmbeddedEngine(embedded)
