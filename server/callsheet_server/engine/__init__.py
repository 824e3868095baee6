"""Engines: what turns requests into text. Light to import; an engine's libraries are not."""

from __future__ import annotations

from callsheet_server.engine.embedded.settings import EmbeddedSettings
from callsheet_server.engine.engine import Engine
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings
from callsheet_server.engine.openai.settings import OpenAISettings
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.engine.sglang.settings import SglangSettings

__all__ = ["create_engine"]


def create_engine(
    settings: EmbeddedSettings
    | LlamaCppSettings
    | OpenAISettings
    | ScriptedSettings
    | SglangSettings,
) -> Engine:
    """Make the engine these settings are of; its libraries are imported here, nothing is loaded.

    Raises:
        EngineStartError: what it needs is not installed.
    """
    try:
        match settings:
            case ScriptedSettings():
                return ScriptedEngine(settings)
            case OpenAISettings():
                from callsheet_server.engine.openai.engine import OpenAIEngine

                return OpenAIEngine(settings)
            case SglangSettings() if settings.is_cluster:
                from callsheet_server.engine.cluster.engine import ClusterEngine

                return ClusterEngine(settings)
            case SglangSettings():
                from callsheet_server.engine.sglang.engine import SglangEngine

                return SglangEngine(settings)
            case LlamaCppSettings() if settings.local.models:
                from callsheet_server.engine.llamacpp.kind import LlamaCppKind
                from callsheet_server.engine.many_models.engine import ManyModelsEngine

                return ManyModelsEngine(settings.local, LlamaCppKind(settings))
            case EmbeddedSettings() if settings.models:
                from callsheet_server.engine.embedded.kind import EmbeddedKind
                from callsheet_server.engine.many_models.engine import ManyModelsEngine

                return ManyModelsEngine(settings, EmbeddedKind())
            case LlamaCppSettings():
                from callsheet_server.engine.llamacpp.engine import LlamaCppEngine

                return LlamaCppEngine(settings)
            case EmbeddedSettings():
                from callsheet_server.engine.embedded.engine import EmbeddedEngine

                return EmbeddedEngine(settings)
    except ImportError as error:
        raise EngineStartError(
            f"this engine needs {error.name}; run: pip install 'callsheet[server,torch]'"
        ) from error
