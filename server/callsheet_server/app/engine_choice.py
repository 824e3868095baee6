"""Choice of the engine, where the settings leave it open, and the settings it is made of."""

from __future__ import annotations

import importlib.util
from typing import Final, NamedTuple

from callsheet_server.app.settings import Settings
from callsheet_server.engine.embedded.settings import EmbeddedSettings
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings
from callsheet_server.engine.models.gguf_cache import SUFFIX, is_gguf
from callsheet_server.engine.openai.settings import OpenAISettings
from callsheet_server.engine.scripted import ScriptedSettings
from callsheet_server.engine.sglang.settings import SglangSettings

__all__ = ["EngineChoice", "choose_engine", "settings_of_engine", "settings_section"]

_LOCAL: Final = ("auto", "llamacpp", "embedded")


class EngineChoice(NamedTuple):
    """Engine that a server runs, and the reason in a few words."""

    name: str
    reason: str


def choose_engine(settings: Settings) -> EngineChoice:
    """The engine that is set; else llamacpp where it can run the model, else embedded."""
    engine, local = settings.engine, settings.embedded
    if engine.name != "auto":
        return EngineChoice(engine.name, "as engine.name says")
    if any(path.suffix != SUFFIX for path in local.adapters.values()):
        return EngineChoice("embedded", "its LoRA adapters are in PEFT format, not GGUF")
    for model in (local.model, *local.models.values()):
        if not is_gguf(model):
            return EngineChoice("embedded", f"{model} is not to be had as GGUF")
    if engine.llama_server is None and importlib.util.find_spec("xllamacpp") is None:
        return EngineChoice("embedded", "xllamacpp, which llamacpp needs, is not installed")
    return EngineChoice("llamacpp", "it is installed, and the model is to be had as GGUF")


def settings_section(engine: str) -> str:
    """Section that holds the settings of an engine."""
    return "embedded" if engine in _LOCAL else engine


def settings_of_engine(
    settings: Settings,
) -> EmbeddedSettings | LlamaCppSettings | OpenAISettings | ScriptedSettings | SglangSettings:
    """Settings that the chosen engine is made of."""
    match choose_engine(settings).name:
        case "llamacpp":
            return LlamaCppSettings(settings.embedded, settings.engine.llama_server)
        case "embedded":
            return settings.embedded
        case "sglang":
            return settings.sglang
        case "openai":
            return settings.openai
        case _:
            return settings.scripted
