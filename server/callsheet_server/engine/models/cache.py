"""The model cache: where models are kept, pulled into it, listed and checked.

A model lives in ``<cache>/models/<name>`` as a plain transformers folder plus ``manifest.json``
with the SHA-256 of every file. A folder appears there whole or not at all: it is built next to its
place and renamed.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models import fetch
from callsheet_server.engine.models.catalogue import REGISTRY, nearest_names
from callsheet_server.engine.models.checksum import sha256_of

__all__ = [
    "ModelEntry",
    "cache_dir",
    "list_models",
    "pull_model",
    "pulled",
    "resolve_model",
]

_MANIFEST = "manifest.json"

ReportProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model in the cache."""

    name: str
    path: Path
    size_bytes: int
    source: str
    verified: bool
    """Every file has the SHA-256 the manifest names."""


def cache_dir() -> Path:
    """The folder for models and parked state: ``CALLSHEET_CACHE_DIR``, else the OS's cache.

    Raises:
        EngineStartError: none is named, and the user has no home folder.
    """
    if chosen := os.environ.get("CALLSHEET_CACHE_DIR"):
        return Path(chosen)
    try:
        return user_cache_path("callsheet", appauthor=False)
    except RuntimeError:
        raise EngineStartError(
            "this user has no home folder to keep models in: set CALLSHEET_CACHE_DIR to a folder, "
            "or HOME"
        ) from None


def resolve_model(model: str, report: ReportProgress) -> Path:
    """Return the folder of ``model``: a local path, a registered name or a hub id.

    What is not in the cache yet is fetched.

    Raises:
        EngineStartError: it is nowhere to be had; the text names the fix.
    """
    local = Path(model).expanduser()
    if (local / "config.json").is_file():
        return local
    if local.is_dir():
        raise EngineStartError(
            f"model: {model!r} is a folder without config.json; give the folder that holds "
            "config.json, tokenizer.json and the *.safetensors files"
        )
    return pull_model(model, report)


def pull_model(model: str, report: ReportProgress) -> Path:
    """Fetch ``model`` into the cache unless it is there, and return its folder.

    Raises:
        EngineStartError: unknown name, offline, checksum mismatch or disk full.
    """
    source = REGISTRY.get(model)
    if source is None and model.count("/") != 1:
        raise EngineStartError(
            f"model: {model!r} is neither a folder, a hub id (OWNER/NAME) nor in the catalogue; "
            f"{nearest_names(model)}"
        )

    def fill(built: Path) -> str:
        if source is None:
            return fetch.from_hub(model, built, report)
        return fetch.registered(source, built, report)

    return pulled(model, fill)


def pulled(name: str, fill: Callable[[Path], str]) -> Path:
    """Return the folder ``name`` of the cache, which ``fill`` fills if it is not there yet.

    Args:
        name: of the model; a slash in it becomes two dashes.
        fill: puts the files into an empty folder and returns where they came from.

    Raises:
        EngineStartError: ``fill`` failed, the disk is full, or what is there is damaged.
    """
    target = cache_dir() / "models" / name.replace("/", "--")
    if target.is_dir():
        _check_sizes(target)
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".partial-") as scratch:
            built = Path(scratch) / "model"
            built.mkdir()
            _write_manifest(built, name, fill(built))
            _move_into_place(built, target)
    except OSError as error:
        raise EngineStartError(
            f"model {name}: writing to {target.parent} failed: {error}: "
            "free some space, or set CALLSHEET_CACHE_DIR to another disk"
        ) from error
    return target


def list_models() -> list[ModelEntry]:
    """Every model in the cache, each file's checksum computed anew."""
    root = cache_dir() / "models"
    folders: Iterable[Path] = sorted(root.iterdir()) if root.is_dir() else ()
    entries = []
    for folder in folders:
        if not (folder / _MANIFEST).is_file():
            continue
        manifest = _read_manifest(folder)
        files = manifest["files"]
        entries.append(
            ModelEntry(
                name=manifest["name"],
                path=folder,
                size_bytes=sum(int(facts["size_bytes"]) for facts in files.values()),
                source=manifest["source"],
                verified=all(
                    (folder / name).is_file() and sha256_of(folder / name) == facts["sha256"]
                    for name, facts in files.items()
                ),
            )
        )
    return entries


def _write_manifest(folder: Path, name: str, origin: str) -> None:
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": sha256_of(path),
            "size_bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = {"name": name, "source": origin, "files": files}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineStartError(
            f"model cache: {folder / _MANIFEST} cannot be read ({error}); delete {folder} and run "
            "`callsheet models pull`"
        ) from error
    return manifest


def _check_sizes(folder: Path) -> None:
    """A cheap check at every start; ``list_models`` computes the checksums."""
    for name, facts in _read_manifest(folder)["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != facts["size_bytes"]:
            raise EngineStartError(
                f"model cache: {path} is missing or has the wrong size; delete {folder} and run "
                "`callsheet models pull`"
            )


def _move_into_place(built: Path, target: Path) -> None:
    try:
        built.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(built)  # another process was faster; its copy is as good
